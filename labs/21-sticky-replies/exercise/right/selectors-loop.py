# other: one thread, a selector (epoll), non-blocking sockets, and buffers of its own
import os
import selectors
import socket

selector = selectors.DefaultSelector()


def answer(line):
    number, _, text = line.partition(b" ")
    valid = number.isdigit() and int(number) <= 1000 and b" " in line
    body = (text + b"\n") * int(number) if valid else b"?\n"
    return str(len(body)).encode() + b"\n" + body


class Client:
    def __init__(self, conn):
        self.conn, self.came, self.to_send, self.leaves = conn, bytearray(), bytearray(), False

    def act(self, events):
        try:
            if events & selectors.EVENT_READ:
                self.read()
            if self.to_send:
                del self.to_send[: self.conn.send(self.to_send)]
        except BlockingIOError:
            pass
        except OSError:
            self.leaves, self.to_send = True, b""
        if self.leaves and not self.to_send:
            selector.unregister(self.conn)
            self.conn.close()
            return
        # While an answer waits, it asks for nothing more.
        wanted = selectors.EVENT_WRITE if self.to_send else selectors.EVENT_READ
        selector.modify(self.conn, wanted, self)

    def read(self):
        piece = self.conn.recv(700)
        self.leaves = not piece
        self.came += piece
        while (end := self.came.find(b"\n")) >= 0:
            if end > 1024:
                self.leaves = True
                return
            self.to_send += answer(bytes(self.came[:end]))
            del self.came[: end + 1]
        if len(self.came) > 1024:
            self.leaves = True


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ, None)
while True:
    for key, events in selector.select():
        if key.data:
            key.data.act(events)
            continue
        conn, _ = listener.accept()
        conn.setblocking(False)
        selector.register(conn, selectors.EVENT_READ, Client(conn))
