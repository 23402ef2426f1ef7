"""Runs what it is sent, and sends the output back: nothing says how long it is."""

import socket
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
                ran = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, capture_output=True)
                conn.send(ran.stdout + ran.stderr)
