"""A client with a header of four bytes. The task is in TASK.md."""

import os
import socket
import struct
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))

conn = socket.create_connection((HOST, PORT))

for line in sys.stdin:
    line = line.rstrip("\n")
    conn.sendall(struct.pack("!I", len(line)) + line.encode())
    (length,) = struct.unpack("!I", conn.recv(4))
    print(conn.recv(length).decode())
