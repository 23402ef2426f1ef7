# wrong: a server that is full is expected to stay so
# fails: too-many
# shows: hangs
import errno
import os
import selectors
import socket

HOST = os.environ["HOST"]
PORT = int(os.environ["PORT"])
SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

selector = selectors.DefaultSelector()


class Client:
    """One client, and what is still to be sent to it: at most what one recv gave."""

    def __init__(self, conn):
        self.conn, self.rest = conn, b""

    def act(self):
        """Does what can be done without waiting. Returns whether the client is still there."""
        try:
            if not self.rest:
                self.rest = self.conn.recv(16384)
                if not self.rest:
                    return False
            self.rest = self.rest[self.conn.send(self.rest) :]
        except BlockingIOError:
            pass  # not now: it will be said when
        except OSError:
            return False  # this client is gone; the others are not
        # While something is to be sent, nothing more is read.
        wanted = selectors.EVENT_WRITE if self.rest else selectors.EVENT_READ
        if selector.get_key(self.conn).events != wanted:
            selector.modify(self.conn, wanted, self)
        return True


def accept():
    try:
        conn, _ = listener.accept()
    except OSError as error:
        # It stays in the queue, and the listener would be ready again and again.
        if error.errno in SHORT:
            selector.unregister(listener)
        return
    conn.setblocking(False)
    selector.register(conn, selectors.EVENT_READ, Client(conn))


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(1024)
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ, None)

while True:
    for key, _ in selector.select():
        if key.data is None:
            accept()
        elif not key.data.act():
            selector.unregister(key.fileobj)
            key.fileobj.close()
