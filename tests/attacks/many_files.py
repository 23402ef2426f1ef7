# expect: ended=Exited(0) limit=None left=0
# fenced: escapes
# teeth: files
"""Makes 5000 files."""
import os

count = 0
try:
    while count < 5000:
        os.close(os.open(f"file{count}", os.O_CREAT | os.O_WRONLY))
        count += 1
except OSError as error:
    print("stopped by", error.strerror, "at", count)
else:
    print("escaped: 5000 files")
