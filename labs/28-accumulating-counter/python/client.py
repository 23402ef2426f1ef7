"""Sends commands, receives each answer behind its length, and counts as the old texts' client does."""

import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    while (command := input(">>: ")) != "quit":
        if not command:
            continue
        conn.sendall(command.encode())
        announced = conn.recv(1024)  # ③
        try:
            length = int(announced)
        except ValueError:
            print(f"not a length: {announced[:12]}")
            break  # ④
        conn.sendall(b"recv_ready")
        answer = b""
        received = 0
        while received < length:
            answer += conn.recv(1024)  # ①
            received += len(answer)  # ② the mistake: all that has come so far, and not what has just come
        print(answer.decode().rstrip())
