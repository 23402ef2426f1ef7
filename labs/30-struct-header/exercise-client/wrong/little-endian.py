# wrong: the network is expected to have this machine's order of bytes
# fails: one-line, several-lines, counts-bytes, header-in-pieces, answer-in-pieces, byte-by-byte, large,
# fails: late-server, length-too-large, length-highest-bit, server-leaves, exit-code, rests
# shows: wrong
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
    conn.sendall(struct.pack("<I", len(text)) + text)
    (length,) = struct.unpack("<I", recv_exact(4))
    if length > LONGEST:
        sys.exit("a length that cannot be believed")
    print(recv_exact(length).decode())
