# wrong: a header that is not whole is taken for a mistake of the client
# fails: header-in-pieces, byte-by-byte, slow-header, two-in-turns, twenty-at-once
# shows: what "closed the connection"
import os
import socket
import threading

LONGEST = 65_536


def recv_exact(conn, n):
    data = b""
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def read(conn):
    header = conn.recv(4)
    if len(header) < 4:
        raise EOFError
    length = int.from_bytes(header, "big")
    if length > LONGEST:
        raise EOFError
    text = recv_exact(conn, length)
    conn.sendall(header + text.upper())


def serve(conn):
    with conn:
        try:
            while True:
                read(conn)
        except (EOFError, OSError):
            pass


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    threading.Thread(target=serve, args=(conn,)).start()
