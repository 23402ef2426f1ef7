# expect: ended=Killed(SIGKILL) limit=Cpu left=0
# options: --cpu 1 --wall 20000
"""Runs for ever, and ignores the signal that tells it to end."""
import signal

signal.signal(signal.SIGXCPU, signal.SIG_IGN)
while True:
    pass
