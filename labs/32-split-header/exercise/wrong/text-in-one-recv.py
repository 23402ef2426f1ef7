# wrong: one recv is expected to give all of the text
# fails: text-in-pieces, byte-by-byte, large-message, slow-text, two-in-turns, twenty-at-once, fin-in-a-message
# shows: what "too early"
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
    text = conn.recv(length) if length else b""
    header = len(text).to_bytes(4, "big")
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
