# expect: ended=Killed(SIGKILL) limit=Memory left=any
# needs: cgroup
# options: --memory 128
# teeth: cgroup
"""Takes 40 MiB in each of 8 processes, its own last."""
import os, signal

for _ in range(8):
    reader, writer = os.pipe()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        held = b"x" * (40 << 20)
        os.write(writer, b"!")
        signal.pause()
    os.close(writer)
    if os.read(reader, 1) != b"!":
        held = b"x" * (128 << 20)
print("escaped: 320 MiB")
