"""Receives a message, in however many pieces it comes."""

import json
import socket
import struct

SERVER = ("127.0.0.1", 8080)


def recv_exact(conn, count):
    data = b""
    while len(data) < count:
        piece = conn.recv(count - len(data))
        if not piece:
            raise EOFError(f"the peer left after {len(data)} of {count} bytes")
        data += piece
    return data


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    (length,) = struct.unpack("i", recv_exact(conn, 4))
    size = json.loads(recv_exact(conn, length))["data_size"]
    print(recv_exact(conn, size).decode().rstrip())
