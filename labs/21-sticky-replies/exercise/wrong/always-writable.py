# wrong: that a socket can be written to is taken for news: it always can
# fails: rests
# shows: spins
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
        self.answers = b""
        self.leaves = False

    def read(self):
        piece = self.conn.recv(4096)
        if not piece:
            self.leaves = True
            selector.modify(self.conn, selectors.EVENT_WRITE, self)
            return
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for line in lines:
            if len(line) > LONGEST:
                raise EOFError
            body = answer(line)
            self.send(b"%d\n" % len(body) + body)
        if len(self.rest) > LONGEST:
            raise EOFError

    def send(self, bytes):
        self.answers += bytes

    def write(self):
        if self.answers:
            self.answers = self.answers[self.conn.send(self.answers):]
        elif self.leaves:
            raise EOFError


while True:
    for key, events in selector.select():
        if key.fileobj is listener:
            conn, _ = listener.accept()
            conn.setblocking(False)
            selector.register(conn, selectors.EVENT_READ | selectors.EVENT_WRITE, Client(conn))
            continue
        try:
            if events & selectors.EVENT_READ:
                key.data.read()
            if events & selectors.EVENT_WRITE:
                key.data.write()
        except (EOFError, OSError):
            selector.unregister(key.fileobj)
            key.fileobj.close()
