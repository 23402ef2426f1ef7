# wrong: each recv is expected to put its piece behind the one before: it puts it at the beginning of the buffer
# fails: split-anywhere, byte-by-byte, large-message, second-waits
# shows: hangs
import os
import socket
import struct

LONGEST = 65_536


def recv_exact(conn, n):
    data = bytearray(n)
    missing = n
    while missing > 0:
        count = conn.recv_into(data, missing)
        if count == 0:
            raise EOFError
        missing -= count
    return bytes(data)


def serve(conn):
    while True:
        (length,) = struct.unpack("!I", recv_exact(conn, 4))
        if length > LONGEST:
            return
        text = recv_exact(conn, length).upper()
        conn.sendall(struct.pack("!I", length) + text)


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        serve(conn)
    except (EOFError, OSError):
        pass
    conn.close()
