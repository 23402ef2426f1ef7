# other: recv with a time-out of 100 ms, again and again; a time-out means nothing, and what has come is kept
import os
import socket
import struct
import sys

LONGEST = 65_536


def recv_exact(n):
    data = b""
    while len(data) < n:
        try:
            piece = conn.recv(n - len(data))
        except TimeoutError:
            continue
        if not piece:
            sys.exit("the server has gone")
        data += piece
    return data


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin.buffer:
    text = line.removesuffix(b"\n")
    conn.settimeout(None)
    conn.sendall(struct.pack("!I", len(text)) + text)
    conn.settimeout(0.1)
    (length,) = struct.unpack("!I", recv_exact(4))
    if length > LONGEST:
        sys.exit("a length that cannot be believed")
    sys.stdout.buffer.write(recv_exact(length) + b"\n")
