# wrong: only what receives is taken to fail, and not what sends
# fails: breaks-off-unread
# shows: ended
# race: whether the RST of a client comes before its answer is sent or after
import codecs
import os
import socket


def receive(conn, n):
    try:
        return conn.recv(n)
    except OSError:
        return b""  # this client is gone; the next one is not


def recv_exact(conn, n):
    data = b""
    while len(data) < n:
        piece = receive(conn, n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def tell(conn, text):
    conn.sendall(b"".join(b"U+%04X\n" % ord(character) for character in text))


def serve(conn):
    conn.sendall(recv_exact(conn, 8))
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := receive(conn, 1024):
            tell(conn, decoder.decode(piece))
        decoder.decode(b"", final=True)
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
        except EOFError:
            pass  # this client is gone; the next one is not
