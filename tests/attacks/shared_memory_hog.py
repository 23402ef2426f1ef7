# expect: ended=Killed(SIGKILL) limit=Memory left=0
# needs: cgroup
# options: --memory 128
# teeth: cgroup
"""Takes 300 MiB that are nobody's data: a shared mapping, which setrlimit(2) does not count."""
import mmap

held = mmap.mmap(-1, 300 << 20)
for at in range(0, len(held), 4096):
    held[at] = 1
print("escaped: 300 MiB")
