# wrong: a server is expected to tell the truth
# fails: length-too-large, length-highest-bit
# shows: hangs
import os
import socket
import struct
import sys


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
    (length,) = struct.unpack("!I", recv_exact(4))
    print(recv_exact(length).decode())
