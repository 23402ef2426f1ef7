"""Asks a server on the same machine, by the name that it has in this folder."""

import socket

NAME = "lab-46.sock"

with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as conn:
    conn.connect(NAME)  # ②
    conn.sendall(b"hello")
    print(conn.recv(1024).decode())
