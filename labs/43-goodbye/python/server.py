"""Answers once in capital letters, and closes first."""

import socket

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    conn, _client = listener.accept()
    data = conn.recv(1024)
    conn.sendall(data.upper())
    conn.close()  # ①
