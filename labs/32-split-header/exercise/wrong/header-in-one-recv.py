# wrong: recv(4) is expected to give four bytes
# fails: header-in-pieces, byte-by-byte, slow-header, two-in-turns, twenty-at-once, fin-in-a-message
# shows: wrong, got "\x00\x00\x00\x00"
# starters: make it
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
    if not header:
        raise EOFError
    length = int.from_bytes(header, "big")
    if length > LONGEST:
        raise EOFError
    text = recv_exact(conn, length)
    conn.sendall(length.to_bytes(4, "big") + text.upper())


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
