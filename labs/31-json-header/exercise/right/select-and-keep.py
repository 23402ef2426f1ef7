# other: one thread and a selector; recv takes whatever there is, and what belongs to no whole message is kept
import hashlib
import json
import os
import selectors
import socket

selector = selectors.DefaultSelector()


class Client:
    def __init__(self, conn):
        self.conn, self.came, self.to_send, self.leaves = conn, bytearray(), bytearray(), False

    def say(self, **fields):
        text = json.dumps(fields).encode()
        self.to_send += len(text).to_bytes(4, "big") + text

    def take(self):
        """Takes one message out of what has come; says whether there was one."""
        if len(self.came) < 4:
            return False
        end = 4 + int.from_bytes(self.came[:4], "big")
        if end > 4 + 1024:
            return self.refuse()
        if len(self.came) < end:
            return False
        try:
            header = json.loads(bytes(self.came[4:end]))
        except ValueError:
            return self.refuse()
        size = header.get("size") if type(header) is dict else None
        if type(size) is not int or not 0 <= size <= 65_536:
            return self.refuse()
        if len(self.came) < end + size:
            return False
        body = bytes(self.came[end : end + size])
        del self.came[: end + size]
        if hashlib.sha256(body).hexdigest() == header["sha256"]:
            self.say(status="ok", name=header["name"], size=size)
        else:
            self.say(status="error", code="digest")
        return True

    def refuse(self):
        self.say(status="error", code="header")
        self.leaves = True
        return False

    def act(self, events):
        try:
            if events & selectors.EVENT_READ and not self.leaves:
                piece = self.conn.recv(10_000)
                self.came += piece
                while not self.leaves and self.take():
                    pass
                self.leaves = self.leaves or not piece
            if self.to_send:
                del self.to_send[: self.conn.send(self.to_send)]
        except BlockingIOError:
            pass
        except OSError:
            self.leaves = True
            self.to_send.clear()
        if self.leaves and not self.to_send:
            selector.unregister(self.conn)
            self.conn.close()
            return
        wanted = 0 if self.leaves else selectors.EVENT_READ
        selector.modify(self.conn, wanted | (selectors.EVENT_WRITE if self.to_send else 0), self)


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
