"""Answers one datagram in capital letters."""

import socket

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(SERVER)
    data, sender = sock.recvfrom(1024)  # ⑤
    sock.sendto(data.upper(), sender)
