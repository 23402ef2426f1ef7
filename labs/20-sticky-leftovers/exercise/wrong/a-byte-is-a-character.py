# wrong: each byte is taken for a character
# fails: wide-characters, cut-characters, byte-by-byte, not-utf8, cut-at-the-end
# shows: wrong, got "U+00C3"
# starters: make it
import os
import socket


def recv_exact(conn, n):
    data = b""
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def tell(conn, text):
    conn.sendall(b"".join(b"U+%04X\n" % ord(character) for character in text))


def serve(conn):
    conn.sendall(recv_exact(conn, 8))
    try:
        while piece := conn.recv(1024):
            tell(conn, piece.decode("latin-1"))
    except UnicodeDecodeError:
        conn.sendall(b"not UTF-8\n")


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    with conn:
        try:
            serve(conn)
        except (EOFError, OSError):
            pass  # this client is gone; the next one is not
