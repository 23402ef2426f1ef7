"""Sends a file, and says that it is stored when the server says so."""

import json
import socket
import struct

SERVER = ("127.0.0.1", 8080)

with open("f1", "wb") as file:
    file.write(b"the first\nof two\n")

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    with open("f1", "rb") as file:
        data = file.read()
    header = json.dumps({"cmd": "put", "filename": "f1", "filesize": len(data)}).encode()
    conn.sendall(struct.pack("<i", len(header)) + header + data)
    if conn.recv(7, socket.MSG_WAITALL) == b"stored\n":  # ⑦
        print("f1 is stored")
    else:
        print("nobody knows whether f1 is stored")
