"""Asks once, and closes when it has read the answer."""

import socket

SERVER = ("127.0.0.1", 9000)

conn = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
conn.connect(SERVER)
conn.sendall(b"linhaifeng nb")
print(conn.recv(1024).decode())
conn.close()  # ③
