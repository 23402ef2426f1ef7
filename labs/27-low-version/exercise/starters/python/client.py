"""The client of the low version. It loses bytes: repair it. The task is in TASK.md."""

import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))

conn = socket.create_connection((HOST, PORT))

for line in sys.stdin:
    command = line.rstrip("\n")
    if not command:
        continue
    conn.sendall(command.encode() + b"\n")

    length = int(conn.recv(1024))
    conn.sendall(b"recv_ready\n")

    answer = b""
    received = 0
    while received < length:
        answer += conn.recv(1024)
        received += len(answer)
    sys.stdout.buffer.write(answer)
