"""Sends commands; receives each answer's length, says recv_ready, receives the answer."""

import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    while (command := input(">>: ")) != "quit":
        if not command:
            continue
        conn.sendall(command.encode())
        length = int(conn.recv(1024))  # ③
        conn.sendall(b"recv_ready")
        answer = b""
        while len(answer) < length:
            piece = conn.recv(1024)  # ④
            if not piece:
                raise SystemExit(f"the server has gone after {len(answer)} of {length} bytes")
            answer += piece
        print(answer.decode().rstrip())
