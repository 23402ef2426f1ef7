# wrong: a socket that was only peeked into is expected to be quiet until more comes
# fails: fin-in-a-message, rests
# shows: spins
import os
import selectors
import socket

LONGEST = 65_536


def read(conn):
    seen = conn.recv(4, socket.MSG_PEEK)
    if not seen:
        raise EOFError
    if len(seen) < 4:
        return  # later
    length = int.from_bytes(seen, "big")
    if length > LONGEST:
        raise EOFError
    seen = conn.recv(4 + length, socket.MSG_PEEK)
    if len(seen) == 4 + length:
        conn.recv(4 + length)
        conn.sendall(seen[:4] + seen[4:].upper())


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
