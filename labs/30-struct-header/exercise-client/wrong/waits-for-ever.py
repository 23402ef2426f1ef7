# wrong: a recv that gives nothing is expected to give something next time
# fails: server-leaves
# shows: spins
import os
import socket
import struct
import sys

LONGEST = 65_536


def recv_exact(n):
    data = b""
    while len(data) < n:
        data += conn.recv(min(65_536, n - len(data)))
    return data


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin:
    text = line.rstrip("\n").encode()
    conn.sendall(struct.pack("!I", len(text)) + text)
    (length,) = struct.unpack("!I", recv_exact(4))
    if length > LONGEST:
        sys.exit("a length that cannot be believed")
    print(recv_exact(length).decode())
