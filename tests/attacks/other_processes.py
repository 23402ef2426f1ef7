# expect: ended=Exited(0) limit=None left=0
# fenced: escapes
# teeth: processes
"""Looks who else is there."""
import os

for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) not in (1, os.getpid()):
        print("escaped: sees process", pid)
