# wrong: each recv is expected to put its piece behind the one before: it puts it at the beginning of the buffer
# fails: header-in-pieces, answer-in-pieces, byte-by-byte, large
# shows: hangs
import os
import socket
import struct
import sys

LONGEST = 65_536


def recv_exact(n):
    data = bytearray(n)
    missing = n
    while missing > 0:
        count = conn.recv_into(data, missing)
        if count == 0:
            sys.exit("the server has gone")
        missing -= count
    return bytes(data)


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin:
    text = line.rstrip("\n").encode()
    conn.sendall(struct.pack("!I", len(text)) + text)
    (length,) = struct.unpack("!I", recv_exact(4))
    if length > LONGEST:
        sys.exit("a length that cannot be believed")
    print(recv_exact(length).decode())
