# expect: ended=Exited(0) limit=None left=0
# fenced: escapes
# runs: 2
# teeth: ipc
"""Leaves a note for the next one in System V shared memory."""
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
KEY = 0x50C1AB0 + int(os.environ["NOTE"])
SIZE, CREATE, EXCLUSIVE, REMOVE = 4096, 0o1000, 0o2000, 0
found = libc.shmget(KEY, SIZE, 0o666)
if found != -1:
    address = libc.shmat(found, None, 0)
    print("escaped:", ctypes.string_at(address))
    libc.shmctl(found, REMOVE, None)
else:
    made = libc.shmget(KEY, SIZE, CREATE | EXCLUSIVE | 0o666)
    ctypes.memmove(libc.shmat(made, None, 0), b"the answers\0", 12)
