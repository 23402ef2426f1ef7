# expect: ended=Exited(0) limit=None left=0 count=74
"""Writes what makes terminals do things. It must come out byte by byte, for others to escape it."""
import sys

sys.stdout.buffer.write(b"\x1b]52;c;cm0gLXJmIH4K\x07\x1b[2J\x1b]0;owned\x07\r" + "\u202e\u2066\x9b31m".encode() + b"\x00" * 20)
sys.stdout.buffer.write(b"\x1b[?1049h")
