"""Sends two requests, and then reads two answers."""

import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    conn.send(b"echo a ")  # ①
    conn.send(b"echo b ")  # ②
    for _ in range(2):
        print("answer:", conn.recv(1024))
