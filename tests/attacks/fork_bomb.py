# expect: ended=Exited(0) limit=None left=>0
# teeth: limits
# teeth (root): user
"""Forks as often as it may, up to 300 times."""
import os, signal

count = 0
try:
    while count < 300:
        if os.fork() == 0:
            signal.pause()
        count += 1
except OSError as error:
    print("stopped by", error.strerror, "at", count)
else:
    print("escaped: 300 processes")
