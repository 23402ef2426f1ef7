# wrong: a send that cannot send now is taken for the end of the connection
# fails: large-answer, late-reader, goodbye
# shows: wrong, what "closed the connection"
# race: whether a send finds room before the client reads on
import os
import selectors
import socket

LONGEST = 1024

selector = selectors.DefaultSelector()
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ)


def answer(request):
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return b"?\n"
    return (text + b"\n") * int(number)


class Client:
    def __init__(self, conn):
        self.conn = conn
        self.rest = b""

    def read(self):
        piece = self.conn.recv(4096)
        if not piece:
            raise EOFError
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for line in lines:
            if len(line) > LONGEST:
                raise EOFError
            body = answer(line)
            self.send(b"%d\n" % len(body) + body)
        if len(self.rest) > LONGEST:
            raise EOFError

    def send(self, bytes):
        self.conn.sendall(bytes)


while True:
    for key, events in selector.select():
        if key.fileobj is listener:
            conn, _ = listener.accept()
            conn.setblocking(False)
            selector.register(conn, selectors.EVENT_READ, Client(conn))
            continue
        try:
            if events & selectors.EVENT_READ:
                key.data.read()
        except (EOFError, OSError):
            selector.unregister(key.fileobj)
            key.fileobj.close()
