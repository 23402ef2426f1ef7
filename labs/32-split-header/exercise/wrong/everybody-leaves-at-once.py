# wrong: one client that leaves is taken for all of them
# fails: length-too-large, fin-in-a-message, reset-in-a-message
# shows: ended
import os
import selectors
import socket

LONGEST = 65_536


def read(conn, came):
    piece = conn.recv(LONGEST)
    if not piece:
        raise EOFError
    came += piece
    while len(came) >= 4:
        length = int.from_bytes(came[:4], "big")
        if length > LONGEST:
            raise EOFError
        if len(came) < 4 + length:
            break
        conn.sendall(came[:4] + came[4 : 4 + length].upper())
        del came[: 4 + length]


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
        read(conn, key.data)
