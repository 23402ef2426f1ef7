# other: four processes that share the listening socket, each with a selector; pieces are kept until they are sent
import os
import selectors
import socket

ALPHABET = bytes(range(ord("a"), ord("z") + 1))
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
for _ in range(3):
    if os.fork() == 0:
        break
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)


def pieces(count):
    whole, rest = divmod(count, 26 * 300)
    for _ in range(whole):
        yield ALPHABET * 300
    yield (ALPHABET * 300)[:rest]


def talk(conn):
    """A generator that says what it waits for."""
    asked = b""
    while not asked.endswith(b"\n"):
        yield selectors.EVENT_READ
        try:
            came = conn.recv(4096)
        except BlockingIOError:
            continue
        if not came:
            return
        asked += came
    for piece in pieces(int(asked)):
        rest = memoryview(piece)
        while rest:
            yield selectors.EVENT_WRITE
            try:
                rest = rest[conn.send(rest) :]
            except BlockingIOError:
                continue


def step(conn, talking):
    try:
        selector.modify(conn, next(talking), talking)
    except (StopIteration, OSError):
        selector.unregister(conn)
        conn.close()


while True:
    for key, _ in selector.select():
        if key.fileobj is not listener:
            step(key.fileobj, key.data)
            continue
        try:
            conn, _ = listener.accept()
        except BlockingIOError:
            continue  # another process was quicker
        conn.setblocking(False)
        selector.register(conn, selectors.EVENT_READ, None)
        step(conn, talk(conn))
