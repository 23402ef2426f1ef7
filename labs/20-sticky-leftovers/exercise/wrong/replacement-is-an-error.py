# wrong: the character that stands for what cannot be read is taken to be no character itself
# fails: wide-characters
# shows: got "not UTF-8"
import codecs
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
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while True:
        piece = conn.recv(1024)
        text = decoder.decode(piece, final=not piece)
        before, wrong, _ = text.partition("\ufffd")
        tell(conn, before)
        if wrong:
            conn.sendall(b"not UTF-8\n")
            return
        if not piece:
            return


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
