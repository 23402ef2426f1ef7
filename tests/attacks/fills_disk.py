# expect: ended=Exited(0) limit=None left=0
# fenced: escapes
# teeth: files
"""Writes 100 MiB, a file of 10 MiB at a time."""
import os

written = 0
try:
    for number in range(10):
        with open(f"file{number}", "wb") as file:
            for _ in range(10):
                written += file.write(b"x" * (1 << 20))
                file.flush()
except OSError as error:
    print("stopped by", error.strerror, "at", written >> 20, "MiB")
else:
    print("escaped: 100 MiB")
