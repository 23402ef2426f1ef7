# expect: ended=Exited(0) limit=None left=0
"""Sends init every signal, many times, and its own group and session too."""
import os, signal

if os.getppid() == 1:
    for _ in range(200):
        for number in range(1, 65):
            try:
                os.kill(1, number)
            except OSError:
                pass
