# wrong: a send that does not wait for ever is taken to send all
# fails: late-server
# shows: hangs, got less
# race: how much a send takes before the server reads on
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
conn.settimeout(10)
for line in sys.stdin:
    text = line.rstrip("\n").encode()
    conn.send(struct.pack("!I", len(text)) + text)
    (length,) = struct.unpack("!I", recv_exact(4))
    if length > LONGEST:
        sys.exit("a length that cannot be believed")
    print(recv_exact(length).decode())
