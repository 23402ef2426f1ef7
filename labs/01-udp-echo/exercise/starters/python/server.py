"""A UDP echo server. The task is in TASK.md."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9000"))

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((HOST, PORT))

while True:
    # What comes, and from where? Answer in capital letters.
    sock.recv(1024)
