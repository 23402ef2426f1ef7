# expect: ended=Exited(0) limit=None left=0
# teeth (user): user network processes files ipc names landlock seccomp
"""Attaches to a process of the judge's user, and to init, as a debugger does."""
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
ATTACH, DETACH = 16, 17
for pid in (1, os.getppid(), int(os.environ["DECOY"])):
    if libc.ptrace(ATTACH, pid, 0, 0) == 0:
        os.waitpid(pid, 0x40000000)
        libc.ptrace(DETACH, pid, 0, 0)
        print("escaped: attached to", pid)
    else:
        print(pid, os.strerror(ctypes.get_errno()))
