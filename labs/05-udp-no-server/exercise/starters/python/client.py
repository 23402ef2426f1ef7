"""A client that notices that nobody is there. The task is in TASK.md."""

import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9003"))

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

for line in sys.stdin.buffer:
    sock.sendto(line.removesuffix(b"\n"), (HOST, PORT))
    # An answer, silence, or nobody?
