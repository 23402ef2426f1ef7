"""Sends commands, and shows the beginning of each answer, which comes behind four bytes of length."""

import socket
import struct

SERVER = ("127.0.0.1", 8080)


def receive(conn, count):
    data = b""
    while len(data) < count:
        piece = conn.recv(min(1024, count - len(data)))
        if not piece:
            raise SystemExit(f"the server has gone after {len(data)} of {count} bytes")
        data += piece
    return data


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    while (command := input(">>: ")) != "quit":
        if not command:
            continue
        conn.sendall(command.encode())
        (length,) = struct.unpack("i", receive(conn, 4))
        print(f"{length} bytes: {receive(conn, length).decode().rstrip():.40}")
