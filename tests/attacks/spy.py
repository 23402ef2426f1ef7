# expect: ended=Exited(0) limit=None left=0
# teeth (user): user network processes files ipc names landlock
"""Reads the judge's environment, memory and descriptors."""
import os

for pid in {1, os.getppid(), int(os.environ["DECOY"])}:
    for name in ("environ", "mem", "maps"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                if file.read(1000):
                    print("escaped:", pid, name)
        except OSError as error:
            print(pid, name, error.strerror)
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            os.open(f"/proc/{pid}/fd/{number}", os.O_RDONLY | os.O_NONBLOCK)
            print("escaped:", pid, "descriptor", number)
    except OSError as error:
        print(pid, "fd", error.strerror)
own = {os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if int(number) > 2
       and os.path.lexists(f"/proc/self/fd/{number}")}
for target in own:
    if not target.endswith("/fd"):
        print("escaped: inherited", target)
