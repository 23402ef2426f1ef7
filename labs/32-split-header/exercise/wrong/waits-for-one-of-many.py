# wrong: whoever has begun a message is expected to end it before anybody else says anything
# fails: slow-header, slow-text, twenty-at-once
# shows: hangs, in recv
import os
import selectors
import socket

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
    text = recv_exact(conn, length)
    conn.sendall(header + text.upper())


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        conn = key.fileobj
        if conn is listener:
            new, client = listener.accept()
            selector.register(new, selectors.EVENT_READ)
            continue
        try:
            read(conn)
        except (EOFError, OSError):
            selector.unregister(conn)
            conn.close()
