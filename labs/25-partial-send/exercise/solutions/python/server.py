"""A server that sends as much as its clients ask for, as they read it."""

import os
import selectors
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
LETTERS = b"abcdefghijklmnopqrstuvwxyz" * 1000

selector = selectors.DefaultSelector()


class Client:
    """One client: what of its question has come, and how much of the answer it has been sent."""

    def __init__(self, conn):
        self.conn, self.question, self.size, self.sent = conn, b"", None, 0

    def act(self):
        """Does what can be done without waiting. Returns whether there is more to do."""
        return self.read() if self.size is None else self.write()

    def read(self):
        piece = self.conn.recv(100)
        self.question += piece
        if self.question.endswith(b"\n"):
            self.size = int(self.question)
            # From now on it is waited for until it can be written to, and for nothing else.
            selector.modify(self.conn, selectors.EVENT_WRITE, self)
        return piece != b""

    def write(self):
        piece = LETTERS[self.sent % 26 :][: self.size - self.sent]
        self.sent += self.conn.send(piece)
        return self.sent < self.size


def accept():
    conn, _ = listener.accept()
    conn.setblocking(False)
    selector.register(conn, selectors.EVENT_READ, Client(conn))


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(100)
selector.register(listener, selectors.EVENT_READ, None)

while True:
    for key, _ in selector.select():
        client = key.data
        if client is None:
            accept()
            continue
        try:
            goes_on = client.act()
        except BlockingIOError:
            goes_on = True  # not now: it will be said when
        except OSError:
            goes_on = False  # this client is gone; the others are not
        if not goes_on:
            selector.unregister(client.conn)
            client.conn.close()
