# wrong: ECONNRESET is taken for the only error that a client can cause
# fails: fin-then-reset
# shows: ended, exit nonzero
# race: whether the FIN or the RST behind it meets the send
import os
import selectors
import socket

LETTERS = b"abcdefghijklmnopqrstuvwxyz" * 1000
selector = selectors.DefaultSelector()


class Client:
    def __init__(self, conn):
        self.conn, self.question, self.size, self.sent = conn, b"", None, 0

    def read(self):
        piece = self.conn.recv(100)
        if not piece:
            self.leave()
            return
        self.question += piece
        if self.question.endswith(b"\n"):
            self.size = int(self.question)
            selector.modify(self.conn, selectors.EVENT_WRITE, self)

    def write(self):
        self.sent += self.conn.send(LETTERS[self.sent % 26 :][: self.size - self.sent])
        if self.sent == self.size:
            self.leave()

    def leave(self):
        selector.unregister(self.conn)
        self.conn.close()


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])), backlog=100)
selector.register(listener, selectors.EVENT_READ, None)
while True:
    for key, events in selector.select():
        client = key.data
        if client is None:
            conn, _ = listener.accept()
            conn.setblocking(False)
            selector.register(conn, selectors.EVENT_READ, Client(conn))
            continue
        try:
            if events & selectors.EVENT_READ:
                client.read()
            else:
                client.write()
        except BlockingIOError:
            pass  # not now
        except ConnectionResetError:
            client.leave()  # it is gone; the others are not
