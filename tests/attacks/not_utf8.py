# expect: ended=Exited(0) limit=None left=0 count=512
"""Writes every byte, and calls itself something that is no text."""
import ctypes, sys

ctypes.CDLL(None).prctl(15, b"\xff\xfe) R 1 (\x1b[2J\n", 0, 0, 0)
sys.stdout.buffer.write(bytes(range(256)) * 2)
