# wrong: what has come before a time-out of recv is taken for the whole
# fails: header-in-pieces, text-in-pieces
# shows: what "go on waiting"
import os
import socket
import threading

LONGEST = 65_536


def recv_exact(conn, n):
    data = b""
    while len(data) < n:
        try:
            piece = conn.recv(n - len(data))
        except TimeoutError:
            if not data:
                continue  # nothing has begun
            return data
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
    conn.sendall(len(text).to_bytes(4, "big") + text.upper())


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
    conn.settimeout(0.8)
    threading.Thread(target=serve, args=(conn,)).start()
