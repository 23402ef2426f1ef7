# wrong: three clients are expected to be the most
# fails: twenty-at-once
# shows: hangs
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


def worker():
    while True:
        conn, client = listener.accept()
        serve(conn)


for _ in range(4):
    threading.Thread(target=worker).start()
