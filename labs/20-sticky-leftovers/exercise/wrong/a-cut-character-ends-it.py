# wrong: the characters are expected to end where a piece ends, and an error to end the connection
# fails: cut-characters, byte-by-byte, not-utf8, cut-at-the-end
# shows: got nothing, what "closed the connection"
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
    while piece := conn.recv(1024):
        tell(conn, piece.decode())


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    with conn:
        try:
            serve(conn)
        except (EOFError, OSError, UnicodeDecodeError):
            pass  # this client is gone; the next one is not
