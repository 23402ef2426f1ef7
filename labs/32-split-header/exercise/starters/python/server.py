"""A server for several clients, with a header of four bytes. Something is wrong with it. The task is in TASK.md."""

import os
import selectors
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
LONGEST = 65_536


def read(conn):
    """Reads a message, and answers it."""
    header = conn.recv(4)
    if not header:
        raise EOFError("the client left")
    length = int.from_bytes(header, "big")
    if length > LONGEST:
        raise EOFError(f"a length of {length}")
    text = b""
    while len(text) < length:
        piece = conn.recv(length - len(text))
        if not piece:
            raise EOFError("the client left")
        text += piece
    conn.sendall(header + text.upper())


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(20)

selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)

while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            conn, client = listener.accept()
            selector.register(conn, selectors.EVENT_READ)
            continue
        conn = key.fileobj
        try:
            read(conn)
        except (EOFError, OSError):
            selector.unregister(conn)
            conn.close()
