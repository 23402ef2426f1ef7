# expect: ended=Killed(SIGXFSZ) limit=FileSize left=0
# teeth: limits
"""Makes a file of 40 MiB, without a care for the signal."""
import signal

signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
with open("file", "wb") as file:
    file.truncate(40 << 20)
print("escaped: 40 MiB in one file")
