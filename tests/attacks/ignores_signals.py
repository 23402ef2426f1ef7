# expect: ended=Killed(SIGKILL) limit=Wall left=0
# options: --wall 500
"""Ignores every signal that can be ignored, and waits."""
import signal

for number in range(1, 32):
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_IGN)
while True:
    signal.pause()
