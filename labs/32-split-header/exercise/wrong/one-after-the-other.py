# wrong: a client is expected to wait until the one before has left
# fails: several-clients, slow-header, slow-text, two-in-turns, twenty-at-once, length-too-large, fin-in-a-message,
# fails: reset-in-a-message
# shows: hangs
import os
import socket

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
    header = recv_exact(conn, 4)
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
    serve(conn)
