# wrong: what has come after a short sleep is taken for the whole name
# fails: name-in-pieces, byte-by-byte
# shows: what "too early"
import codecs
import os
import socket
import time


def read_name(conn):
    name = conn.recv(8)
    if len(name) < 8:
        time.sleep(0.05)
        try:
            rest = conn.recv(8 - len(name), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return name
        if not rest:
            raise EOFError
        name += rest
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
