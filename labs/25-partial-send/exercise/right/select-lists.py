# other: select with two lists that are made anew each time; a client's sockets keep no piece, only a position
import os
import select
import socket

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
asking, sending = {}, {}


def letters(position, count):
    return bytes(97 + at % 26 for at in range(position, position + min(count, 3333)))


def leave(conn):
    asking.pop(conn, None)
    sending.pop(conn, None)
    conn.close()


while True:
    readable, writable, _ = select.select([listener, *asking], list(sending), [])
    for conn in readable:
        if conn is listener:
            try:
                new, _ = listener.accept()
            except OSError:
                continue
            new.setblocking(False)
            asking[new] = ""
            continue
        try:
            byte = conn.recv(1)
            if byte == b"\n":
                sending[conn] = (0, int(asking.pop(conn)))
            elif byte:
                asking[conn] += byte.decode()
            else:
                leave(conn)
        except BlockingIOError:
            pass
        except OSError:
            leave(conn)
    for conn in writable:
        position, count = sending[conn]
        try:
            sent = conn.send(letters(position, count)) if count else 0
            sending[conn] = (position + sent, count - sent)
            if sent == count:
                leave(conn)
        except BlockingIOError:
            pass
        except OSError:
            leave(conn)
