"""Runs what it is sent: sends the output's length as text, waits for recv_ready, sends the output."""

import socket
import subprocess

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    while True:
        conn, (host, port) = listener.accept()
        print(f"client ({host}:{port})")
        try:
            with conn:
                while command := conn.recv(1024).decode():
                    ran = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, capture_output=True)
                    answer = ran.stderr or ran.stdout
                    conn.sendall(str(len(answer)).encode())
                    if conn.recv(1024) == b"recv_ready":
                        conn.sendall(answer)
        except ConnectionError as error:
            print(error)
