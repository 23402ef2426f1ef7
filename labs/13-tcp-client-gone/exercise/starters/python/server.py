"""A server that answers in capital letters. The task is in TASK.md."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8081"))

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

conn, client = listener.accept()
while True:
    data = conn.recv(1024)
    conn.sendall(data.upper())
    # What if the client has left? And who serves the next one?
