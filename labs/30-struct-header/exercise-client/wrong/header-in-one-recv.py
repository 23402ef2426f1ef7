# wrong: recv(4) is expected to give four bytes
# fails: header-in-pieces, byte-by-byte
# shows: what "closed the connection"
# starters: make it
import os
import socket
import struct
import sys

LONGEST = 65_536


def recv_exact(n):
    data = b""
    while len(data) < n:
        piece = conn.recv(min(65_536, n - len(data)))
        if not piece:
            sys.exit("the server has gone")
        data += piece
    return data


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin:
    text = line.rstrip("\n").encode()
    conn.sendall(struct.pack("!I", len(text)) + text)
    (length,) = struct.unpack("!I", conn.recv(4))
    if length > LONGEST:
        sys.exit("a length that cannot be believed")
    print(recv_exact(length).decode())
