"""Sends a message one byte at a time: the length of a header, the header, a body."""

import json
import socket
import struct
import time

SERVER = ("127.0.0.1", 8080)

header = json.dumps({"data_size": 6}).encode()
message = struct.pack("i", len(header)) + header + b"hello\n"

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    conn, _client = listener.accept()
    with conn:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in message:
            time.sleep(0.01)
            conn.send(bytes([byte]))
