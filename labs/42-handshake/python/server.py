"""Listens, accepts one connection and reads what comes."""

import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    # From here on the kernel answers each SYN. This program need not do anything.
    conn, _client = listener.accept()  # ④
    with conn:
        conn.recv(1024)
