"""Answers one client, who has to be on the same machine."""

import os
import socket

NAME = "lab-46.sock"

with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
    listener.bind(NAME)  # ①
    listener.listen(5)
    conn, _client = listener.accept()  # ③
    with conn:
        data = conn.recv(1024)
        print(data)
        conn.sendall(data.upper())
os.unlink(NAME)  # ④
