"""Runs what it is sent: reads the command's standard error to its end, and then its standard output."""

import socket
import struct
from subprocess import DEVNULL, PIPE, Popen

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    while True:
        conn, _client = listener.accept()
        with conn:
            while command := conn.recv(1024).decode():
                started = Popen(command, shell=True, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)  # ①
                errors = started.stderr.read()  # ②
                output = started.stdout.read()  # ③
                answer = errors or output
                conn.sendall(struct.pack("i", len(answer)))
                conn.sendall(answer)
