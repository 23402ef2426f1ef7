# wrong: one recv is expected to give the whole name
# fails: name-in-pieces, byte-by-byte, half-a-name
# shows: what "too early"
# starters: make it
import codecs
import os
import socket


def tell(conn, text):
    conn.sendall(b"".join(b"U+%04X\n" % ord(character) for character in text))


def serve(conn):
    name = conn.recv(8)
    conn.sendall(name)
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
