# wrong: what has come before a time-out of recv is taken for the whole answer
# fails: header-in-pieces, answer-in-pieces
# shows: exit 0, expected "nothing"
import os
import socket
import struct
import sys

LONGEST = 65_536


def recv_for_a_while(n):
    """Reads n bytes, or fewer when nothing more comes for a while."""
    data = b""
    try:
        while len(data) < n:
            piece = conn.recv(n - len(data))
            if not piece:
                sys.exit("the server has gone")
            data += piece
    except TimeoutError:
        pass
    return data


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
conn.settimeout(0.7)
for line in sys.stdin:
    text = line.rstrip("\n").encode()
    conn.sendall(struct.pack("!I", len(text)) + text)
    (length,) = struct.unpack("!I", recv_for_a_while(4).rjust(4, b"\0"))
    if length > LONGEST:
        sys.exit("a length that cannot be believed")
    print(recv_for_a_while(length).decode(errors="replace"))
