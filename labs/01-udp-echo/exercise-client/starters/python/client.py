"""A UDP client that asks again. The task is in TASK.md."""

import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9000"))

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

for number, line in enumerate(sys.stdin.buffer, start=1):
    request = b"%d %s" % (number, line.removesuffix(b"\n"))
    # Send it, wait 200 ms for its answer, three times at the most; and print what has come.
    sock.sendto(request, (HOST, PORT))
