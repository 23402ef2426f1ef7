"""Reads four bytes at a time, and prints the numbers."""

import socket
import struct

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    while header := conn.recv(4):  # ③
        (number,) = struct.unpack("i", header)
        print(number)
