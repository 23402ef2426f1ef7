# wrong: a length is taken for a signed number
# fails: length-highest-bit
# shows: ended
import os
import socket
import struct

LONGEST = 65_536


def recv_exact(conn, n):
    data = memoryview(bytearray(n))
    have = 0
    while have < n:
        count = conn.recv_into(data[have:])
        if not count:
            raise EOFError
        have += count
    return bytes(data)


def serve(conn):
    while True:
        (length,) = struct.unpack("!i", recv_exact(conn, 4))
        if length > LONGEST:
            return
        text = recv_exact(conn, length).upper()
        conn.sendall(struct.pack("!I", len(text)) + text)


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(50)
while True:
    conn, client = listener.accept()
    with conn:
        try:
            serve(conn)
        except (EOFError, OSError):
            pass
