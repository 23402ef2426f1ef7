"""A client with a header of four bytes."""

import os
import socket
import struct
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
LONGEST = 65_536


def recv_exact(conn, n):
    """Reads n bytes, in however many pieces they come."""
    data = bytearray()
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            sys.exit("the server has gone")
        data += piece
    return bytes(data)


conn = socket.create_connection((HOST, PORT))

for line in sys.stdin.buffer:
    text = line.rstrip(b"\n")
    conn.sendall(struct.pack("!I", len(text)) + text)
    (length,) = struct.unpack("!I", recv_exact(conn, 4))
    if length > LONGEST:
        sys.exit(f"a length of {length} cannot be believed")
    print(recv_exact(conn, length).decode(), flush=True)
