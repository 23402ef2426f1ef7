"""Sends one datagram and waits for the answer."""

import socket

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.sendto(b"hello", SERVER)  # ①
    data, _sender = sock.recvfrom(1024)
    print(data.decode())
