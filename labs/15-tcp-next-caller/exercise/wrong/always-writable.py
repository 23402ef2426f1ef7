# wrong: that a socket can be written to is taken for news: it always can
# fails: rests
# shows: spins
import os
import selectors
import socket

selector = selectors.DefaultSelector()
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ)
answers = {}


def act(conn, events):
    if events & selectors.EVENT_READ:
        data = conn.recv(4096)
        if not data and not answers[conn]:
            raise EOFError
        answers[conn] += data.upper()
    if events & selectors.EVENT_WRITE and answers[conn]:
        sent = conn.send(answers[conn])
        answers[conn] = answers[conn][sent:]


while True:
    for key, events in selector.select():
        conn = key.fileobj
        if conn is listener:
            conn, client = listener.accept()
            conn.setblocking(False)
            answers[conn] = b""
            selector.register(conn, selectors.EVENT_READ | selectors.EVENT_WRITE)
            continue
        try:
            act(conn, events)
        except (EOFError, OSError):
            selector.unregister(conn)
            conn.close()
            del answers[conn]
