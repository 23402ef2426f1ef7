"""Sends one file behind a header in JSON, in pieces of 1024 bytes."""

import json
import socket
import struct

SERVER = ("127.0.0.1", 8090)
BUFFER = 1024

FILE = "".join(f"option.{number:02} = value{number:02}\n" for number in range(1, 76)).encode()

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    folder = "C:\\Users\\Aaron\\Desktop\\新建文件夹"
    header = json.dumps({"filepath": folder, "filename": "config", "filesize": len(FILE)})
    length = struct.pack("i", len(header))
    print(header)
    print(len(header))
    print(length)
    conn.sendall(length)
    conn.sendall(header.encode())
    for start in range(0, len(FILE), BUFFER):
        conn.sendall(FILE[start : start + BUFFER])
