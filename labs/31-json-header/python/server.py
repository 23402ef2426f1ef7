"""Runs what it is sent, and sends the output back behind a header in JSON."""

import json
import socket
import struct
import subprocess

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    while True:
        conn, _client = listener.accept()
        with conn:
            while command := conn.recv(1024).decode():
                print(f'cmd: "{command}"')
                ran = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, capture_output=True)
                print(f'"{ran.stderr.decode()}"')
                answer = ran.stderr or ran.stdout
                header = json.dumps({"data_size": len(answer)}).encode()
                conn.sendall(struct.pack("i", len(header)))  # ①
                conn.sendall(header)  # ②
                conn.sendall(answer)  # ③
