# wrong: a send on a socket that does not block is taken to send all
# fails: late-reader, pending-answers
# shows: hangs, got less
# race: how much a send takes before the client reads on
import os
import selectors
import socket

selector = selectors.DefaultSelector()
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ)


def answer(conn):
    data = conn.recv(4096)
    if not data:
        raise EOFError
    try:
        conn.send(data.upper())
    except BlockingIOError:
        pass  # it is busy now


while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            conn, client = listener.accept()
            conn.setblocking(False)
            selector.register(conn, selectors.EVENT_READ)
            continue
        try:
            answer(key.fileobj)
        except (EOFError, OSError):
            selector.unregister(key.fileobj)
            key.fileobj.close()
