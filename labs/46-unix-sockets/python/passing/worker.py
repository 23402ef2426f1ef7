"""Answers a client on a TCP connection that somebody else has accepted."""

import os
import socket

NAME = "lab-46.sock"

with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(NAME)
    listener.listen(5)
    front, _front = listener.accept()
    with front:
        _data, descriptors, _flags, _address = socket.recv_fds(front, 64, 1)
        with socket.socket(fileno=descriptors[0]) as conn:
            conn.sendall(conn.recv(1024).upper())
os.unlink(NAME)
