# other: select, and for each client a generator that says how many bytes it needs next
import os
import select
import socket


def talk(conn):
    while True:
        header = yield 4
        length = int.from_bytes(header, "big")
        if length > 65_536:
            return
        text = (yield length) if length else b""
        conn.sendall(header + text.upper())


class Client:
    def __init__(self, conn):
        self.conn, self.talk, self.have = conn, talk(conn), b""
        self.needs = next(self.talk)

    def fileno(self):
        return self.conn.fileno()

    def read(self):
        """Whether it is still there."""
        try:
            piece = self.conn.recv(self.needs - len(self.have))
            self.have += piece
            if len(self.have) == self.needs:
                have, self.have = self.have, b""
                self.needs = self.talk.send(have)
            return bool(piece)
        except (StopIteration, OSError):
            return False


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
clients = []
while True:
    readable, _, _ = select.select([listener, *clients], [], [])
    for one in readable:
        if one is listener:
            clients.append(Client(listener.accept()[0]))
        elif not one.read():
            clients.remove(one)
            one.conn.close()
