# other: one thread, a selector (epoll), non-blocking sockets, and buffers of its own
import os
import selectors
import socket

LONGEST = 65_536
selector = selectors.DefaultSelector()


class Client:
    def __init__(self, conn):
        self.conn, self.came, self.to_send, self.leaves = conn, b"", b"", False

    def act(self, events):
        try:
            if events & selectors.EVENT_READ:
                self.read()
            if self.to_send:
                self.to_send = self.to_send[self.conn.send(self.to_send):]
        except BlockingIOError:
            pass
        except OSError:
            self.leaves, self.to_send = True, b""
        if self.leaves and not self.to_send:
            selector.unregister(self.conn)
            self.conn.close()
            return
        wanted = 0 if self.leaves else selectors.EVENT_READ
        selector.modify(self.conn, wanted | (selectors.EVENT_WRITE if self.to_send else 0), self)

    def read(self):
        piece = self.conn.recv(4096)
        self.leaves = not piece
        self.came += piece
        while len(self.came) >= 4 and not self.leaves:
            length = int.from_bytes(self.came[:4], "big")
            if length > LONGEST:
                self.leaves = True
            elif len(self.came) < 4 + length:
                break
            else:
                self.to_send += self.came[:4] + self.came[4:4 + length].upper()
                self.came = self.came[4 + length:]


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
