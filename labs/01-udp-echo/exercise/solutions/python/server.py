"""A UDP echo server."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9000"))

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((HOST, PORT))

while True:
    data, client = sock.recvfrom(65_535)
    sock.sendto(data.upper(), client)  # bytes.upper() changes a to z, and nothing else
