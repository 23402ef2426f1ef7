"""Asks, and receives each answer behind a header of four bytes."""

import socket
import struct

SERVER = ("127.0.0.1", 8080)


def receive(conn, length):
    data = b""
    while len(data) < length:
        piece = conn.recv(length - len(data))
        if not piece:
            raise SystemExit
        data += piece
    return data


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    try:
        while question := input(">>: "):
            conn.sendall(question.encode())
            (length,) = struct.unpack("!I", receive(conn, 4))
            print(receive(conn, length).decode())
    except EOFError:  # the end of the input
        pass
