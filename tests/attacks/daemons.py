# expect: ended=Exited(0) limit=None left=3
"""Leaves three processes behind, in sessions of their own, with everything closed and all signals ignored."""
import os, signal

for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.closerange(0, 100)
        for number in range(1, 32):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_IGN)
        while True:
            signal.pause()
    os.wait()
