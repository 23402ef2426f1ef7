# wrong: a client is expected to tell the truth
# fails: length-too-large, length-highest-bit
# shows: hangs
import os
import socket
import struct


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
    except (EOFError, OSError, struct.error):
        pass
    conn.close()
