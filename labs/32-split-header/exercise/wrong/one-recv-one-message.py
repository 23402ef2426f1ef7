# wrong: one recv is taken for one message
# fails: header-in-pieces, text-in-pieces, byte-by-byte, two-in-one, large-message, slow-header, slow-text,
# fails: two-in-turns, twenty-at-once, length-too-large, fin-in-a-message
# shows: what "too early"
import os
import selectors
import socket

LONGEST = 65_536


def read(conn):
    message = conn.recv(4 + LONGEST)
    if not message:
        raise EOFError
    text = message[4:].upper()
    conn.sendall(len(text).to_bytes(4, "big") + text)


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
