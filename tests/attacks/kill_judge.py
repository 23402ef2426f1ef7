# expect: ended=Exited(0) limit=None left=0
# teeth (root): user processes landlock
# teeth (user): processes landlock
"""Kills a process of the judge's user."""
import os, signal

try:
    os.kill(int(os.environ["DECOY"]), signal.SIGKILL)
    print("escaped: killed it")
except OSError as error:
    print("stopped by", error.strerror)
