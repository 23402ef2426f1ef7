# wrong: one recv is expected to give all of the text behind the header
# fails: split-anywhere, byte-by-byte, large-message, second-waits, fin-in-a-frame
# shows: wrong, what "not what it must be"
# race: whether one recv finds all of a long message
import os
import socket
import struct

LONGEST = 65_536


def recv_exact(conn, n):
    data = b""
    while len(data) < n:
        piece = conn.recv(min(65_536, n - len(data)))
        if not piece:
            raise EOFError
        data += piece
    return data


def serve(conn):
    while True:
        (length,) = struct.unpack("!I", recv_exact(conn, 4))
        if length > LONGEST:
            return
        text = conn.recv(length).upper() if length else b""
        conn.sendall(struct.pack("!I", len(text)) + text)


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
