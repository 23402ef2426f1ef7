"""Sends commands, and receives each answer behind four bytes of length."""

import socket
import struct

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    while (command := input(">>: ")) != "quit":
        if not command:
            continue
        conn.sendall(command.encode())
        (length,) = struct.unpack("i", conn.recv(4))  # ③
        print(f"i32 {length}")
        answer = b""
        while len(answer) < length:
            piece = conn.recv(1024)  # ④
            if not piece:
                raise SystemExit(f"the server has gone after {len(answer)} of {length} bytes")
            answer += piece
        print(answer.decode().rstrip())
