# wrong: what has come before a time-out of recv is taken for the whole name
# fails: name-in-pieces
# shows: what "too early"
import codecs
import os
import socket


def read_name(conn):
    name = conn.recv(8)
    conn.settimeout(0.6)
    try:
        while len(name) < 8:
            piece = conn.recv(8 - len(name))
            if not piece:
                raise EOFError
            name += piece
    except TimeoutError:
        pass  # nothing more comes
    conn.settimeout(None)
    return name


def tell(conn, text):
    conn.sendall(b"".join(b"U+%04X\n" % ord(character) for character in text))


def serve(conn):
    conn.sendall(read_name(conn))
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := conn.recv(1024):
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
        except (EOFError, OSError):
            pass  # this client is gone; the next one is not
