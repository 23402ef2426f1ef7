"""A server for several clients, with a header of four bytes, which comes in any pieces."""

import os
import selectors
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
LONGEST = 65_536


def read(conn, came):
    """Reads what is there, once, and answers the messages that are whole. `came` is kept for this client."""
    piece = conn.recv(LONGEST)
    if not piece:
        raise EOFError("the client left")
    came += piece
    while len(came) >= 4:
        length = int.from_bytes(came[:4], "big")
        if length > LONGEST:
            raise EOFError(f"a length of {length}")
        if len(came) < 4 + length:
            break
        conn.sendall(came[:4] + came[4 : 4 + length].upper())
        del came[: 4 + length]


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
            selector.register(conn, selectors.EVENT_READ, bytearray())
            continue
        conn = key.fileobj
        try:
            read(conn, key.data)
        except (EOFError, OSError):
            selector.unregister(conn)
            conn.close()
