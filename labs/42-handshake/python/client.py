"""Connects and sends five bytes."""

import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)  # ①
    conn.sendall(b"hello")  # ⑤
