# other: select with a limit of 50 ms each time; recv never waits; what has come is kept for each client
import os
import select
import socket

LONGEST = 65_536


def take(conn, came):
    """Answers what is whole, and returns the rest."""
    while len(came) >= 4:
        length = int.from_bytes(came[:4], "big")
        if length > LONGEST:
            raise EOFError
        if len(came) < 4 + length:
            break
        conn.setblocking(True)
        conn.sendall(came[:4] + came[4:4 + length].upper())
        conn.setblocking(False)
        came = came[4 + length:]
    return came


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
clients = {}
while True:
    readable, _, _ = select.select([listener, *clients], [], [], 0.05)
    for one in readable:
        if one is listener:
            conn, _ = listener.accept()
            conn.setblocking(False)
            clients[conn] = b""
            continue
        try:
            piece = one.recv(65_536)
            if not piece:
                raise EOFError
            clients[one] = take(one, clients[one] + piece)
        except BlockingIOError:
            pass
        except (EOFError, OSError):
            one.close()
            del clients[one]
