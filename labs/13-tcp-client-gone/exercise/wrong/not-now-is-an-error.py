# wrong: a send that cannot send now is taken for the end of the connection
# fails: late-reader, pending-answers
# shows: wrong, what "closed the connection"
# race: whether a send finds room before the client reads on
import os
import selectors
import socket

selector = selectors.DefaultSelector()
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ)

while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            conn, client = listener.accept()
            conn.setblocking(False)
            selector.register(conn, selectors.EVENT_READ)
            continue
        conn = key.fileobj
        try:
            data = conn.recv(4096)
            if not data:
                raise EOFError
            conn.sendall(data.upper())
        except (EOFError, OSError):
            selector.unregister(conn)
            conn.close()
