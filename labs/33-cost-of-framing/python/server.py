"""Answers in capital letters: a header of four bytes, then the answer, in two sends."""

import socket
import struct

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    conn, _client = listener.accept()
    with conn:
        while question := conn.recv(1024):
            answer = question.upper()
            header = struct.pack("!I", len(answer))
            conn.sendall(header)  # ①
            conn.sendall(answer)  # ②
