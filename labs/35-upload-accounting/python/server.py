"""Receives one file, and counts as the old texts' server does."""

import json
import socket
import struct

SERVER = ("127.0.0.1", 8090)
BUFFER = 1024

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    conn, _client = listener.accept()
    with conn:
        (length,) = struct.unpack("i", conn.recv(4))
        header = json.loads(conn.recv(length))
        stored = b""
        remaining = header["filesize"]
        while remaining > 0:
            stored += conn.recv(BUFFER)  # ①
            remaining -= BUFFER  # ② the mistake: what was asked for, and not what came
        print(f"{header['filename']}: {len(stored)} of {header['filesize']} bytes are stored")
