# wrong: only a recv is expected to fail: what a send to a client that has gone does is not looked at
# fails: reset-while-it-sends
# shows: ended, exit nonzero
# race: whether the RST of a client comes before its answer is sent or after
import os
import socket
import struct

LONGEST = 65_536


def recv_exact(conn, n):
    data = b""
    while len(data) < n:
        try:
            piece = conn.recv(min(65_536, n - len(data)))
        except OSError:
            raise EOFError from None
        if not piece:
            raise EOFError
        data += piece
    return data


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
    except EOFError:
        pass
    conn.close()
