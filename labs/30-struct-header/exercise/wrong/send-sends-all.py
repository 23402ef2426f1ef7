# wrong: a send on a socket that does not block is taken to send all
# fails: late-reader
# shows: hangs
# race: how much a send takes before the client reads on
import os
import selectors
import socket
import struct

LONGEST = 65_536

selector = selectors.DefaultSelector()
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ)


class Client:
    def __init__(self, conn):
        self.conn = conn
        self.came = b""
        self.answers = b""

    def read(self):
        piece = self.conn.recv(65_536)
        if not piece:
            raise EOFError
        self.came += piece
        while len(self.came) >= 4:
            (length,) = struct.unpack("!I", self.came[:4])
            if length > LONGEST:
                raise EOFError
            if len(self.came) < 4 + length:
                break
            answer = self.came[:4] + self.came[4 : 4 + length].upper()
            self.came = self.came[4 + length :]
            self.answer(answer)

    def answer(self, answer):
        try:
            self.conn.send(answer)
        except BlockingIOError:
            pass  # it is busy now


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
