# expect: ended=Exited(0) limit=Memory left=any
# needs: cgroup
# options: --memory 128
# teeth: cgroup
"""Takes 40 MiB in each of 8 processes: no single one is too large."""
import os, signal

children = []
for _ in range(8):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        held = b"x" * (40 << 20)
        os.write(writer, b"!")
        signal.pause()
    children.append(child)
    os.close(writer)
    os.read(reader, 1)
alive = [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]
print("escaped: 320 MiB" if len(alive) == 8 else f"{len(alive)} of 8 are alive")
