"""Empty, whole or truncated. The task is in TASK.md."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9003"))
KEPT = 16

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((HOST, PORT))

while True:
    data, client = sock.recvfrom(KEPT)
    # Is this nothing, all, or a beginning?
    sock.sendto(b"?", client)
