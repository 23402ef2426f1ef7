# wrong: what has come after a short sleep is taken for the whole answer
# fails: header-in-pieces, answer-in-pieces, byte-by-byte, large
# shows: what "too early"
import os
import socket
import struct
import sys
import time

LONGEST = 65_536


def what_is_there(flags):
    try:
        return conn.recv(70_000, flags) or sys.exit("the server has gone")
    except BlockingIOError:
        return b""


def read_answer():
    came = what_is_there(0)
    for needed in (4, 4 + int.from_bytes(came[:4].ljust(4, b"\0"), "big")):
        if needed > 4 + LONGEST:
            sys.exit("a length that cannot be believed")
        if len(came) < needed:
            time.sleep(0.1)
            came += what_is_there(socket.MSG_DONTWAIT)
    return came[4:]


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin:
    text = line.rstrip("\n").encode()
    conn.sendall(struct.pack("!I", len(text)) + text)
    print(read_answer().decode(errors="replace"))
