# expect: ended=Exited(0) limit=None left=any
"""Makes 20 children and never asks after them, and 20 more whose parent is gone at once."""
import os

for _ in range(20):
    if os.fork() == 0:
        os._exit(0)
for _ in range(20):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.waitid(os.P_ALL, 0, os.WEXITED)
