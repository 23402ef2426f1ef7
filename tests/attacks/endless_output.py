# expect: ended=Killed(SIGKILL) limit=Output left=0
"""Writes for ever."""
import os

while True:
    os.write(1, b"all work and no play\n" * 3000)
