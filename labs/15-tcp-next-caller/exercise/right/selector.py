# other: one thread and a selector; what cannot be sent at once is kept, and nothing is read until it has gone
import os
import selectors
import socket

selector = selectors.DefaultSelector()
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ)


def act(conn, kept, events):
    if events & selectors.EVENT_READ:
        piece = conn.recv(4096)
        if not piece:
            raise EOFError
        kept = piece.upper()
    kept = kept[conn.send(kept) :]
    selector.modify(conn, selectors.EVENT_WRITE if kept else selectors.EVENT_READ, kept)


while True:
    for key, events in selector.select():
        if key.fileobj is listener:
            conn, _ = listener.accept()
            conn.setblocking(False)
            selector.register(conn, selectors.EVENT_READ, b"")
            continue
        try:
            act(key.fileobj, key.data, events)
        except BlockingIOError:
            pass
        except (EOFError, OSError):
            selector.unregister(key.fileobj)
            key.fileobj.close()
