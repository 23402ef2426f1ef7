# wrong: only a header is expected to come in pieces while others say something
# fails: slow-text, twenty-at-once
# shows: hangs, in recv
# starters: make it
import os
import selectors
import socket

LONGEST = 65_536


def read(conn, header):
    piece = conn.recv(4 - len(header))
    if not piece:
        raise EOFError
    header += piece
    if len(header) < 4:
        return
    length = int.from_bytes(header, "big")
    if length > LONGEST:
        raise EOFError
    text = b""
    while len(text) < length:
        piece = conn.recv(length - len(text))
        if not piece:
            raise EOFError
        text += piece
    conn.sendall(header + text.upper())
    header.clear()


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        conn = key.fileobj
        if conn is listener:
            new, client = listener.accept()
            selector.register(new, selectors.EVENT_READ, bytearray())
            continue
        try:
            read(conn, key.data)
        except (EOFError, OSError):
            selector.unregister(conn)
            conn.close()
