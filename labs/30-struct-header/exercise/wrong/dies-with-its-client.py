# wrong: a client is expected to stay until it has said all
# fails: second-waits, fin-in-a-frame, reset-in-a-frame, reset-while-it-sends, hundred-clients
# shows: ended, exit nonzero
# race: whether the RST meets a recv or a send
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
        text = recv_exact(conn, length).upper()
        conn.sendall(struct.pack("!I", length) + text)


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    serve(conn)
    conn.close()
