# expect: ended=Exited(0) limit=None left=1
# teeth (root): user processes landlock
# teeth (user): processes landlock
# then: survivors=>0
"""Leaves a daemon, and then kills whoever could stop it: its parent, and that one's parent."""
import os, signal, sys


def parent_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


init = os.getppid()
keeper = parent_of(init) if init > 1 else 0
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    os.write(writer, b"!")
    signal.alarm(20)
    while True:
        signal.pause()
os.read(reader, 1)
# Only these two: nothing else on this machine shall come to harm where no wall stops us.
for pid in (init, keeper):
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        try:
            if pid > 0 and pid != os.getpid():
                os.kill(pid, number)
        except OSError as error:
            print(pid, "is kept by", error.strerror)
