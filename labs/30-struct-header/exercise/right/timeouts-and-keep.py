# other: recv with a time-out of 50 ms, again and again, send with none; a time-out means nothing, what has come is kept
import os
import socket

LONGEST = 65_536


def read(conn, came, wanted):
    while len(came) < wanted:
        try:
            piece = conn.recv(65_536)
        except TimeoutError:
            continue
        if not piece:
            raise EOFError
        came += piece
    return came


def serve(conn):
    came = b""
    while True:
        came = read(conn, came, 4)
        length = int.from_bytes(came[:4], "big")
        if length > LONGEST:
            return
        came = read(conn, came, 4 + length)
        conn.settimeout(None)
        conn.sendall(came[:4] + came[4:4 + length].upper())
        conn.settimeout(0.05)
        came = came[4 + length:]


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, _ = listener.accept()
    conn.settimeout(0.05)
    with conn:
        try:
            serve(conn)
        except (EOFError, OSError):
            pass
