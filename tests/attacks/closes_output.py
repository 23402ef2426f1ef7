# expect: ended=Exited(7) limit=None left=0
"""Closes its output, which is no end."""
import os, time

os.close(1)
os.close(2)
time.sleep(0.05)
os._exit(7)
