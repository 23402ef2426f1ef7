"""Sends commands, and receives each answer behind a header in JSON. It knows no quit."""

import json
import socket
import struct

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    while True:
        command = input(">>: ")
        if not command:
            continue
        conn.sendall(command.encode())
        (length,) = struct.unpack("i", conn.recv(4))  # ④
        header = conn.recv(length)  # ⑤
        print(header.decode())
        size = json.loads(header)["data_size"]
        answer = b""
        while len(answer) < size:
            piece = conn.recv(1024)  # ⑥
            if not piece:
                raise SystemExit(f"the server has gone after {len(answer)} of {size} bytes")
            answer += piece
        print(answer.decode().rstrip())
