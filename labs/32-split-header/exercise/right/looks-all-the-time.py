# other: sockets that do not block, and a look at all of them each five milliseconds
import os
import socket
import time

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
clients = {}


def look(conn):
    piece = conn.recv(65_536)
    if not piece:
        raise EOFError
    came = clients[conn] + piece
    while len(came) >= 4:
        length = int.from_bytes(came[:4], "big")
        if length > 65_536:
            raise EOFError
        if len(came) < 4 + length:
            break
        conn.setblocking(True)
        conn.sendall(came[:4] + came[4 : 4 + length].upper())
        conn.setblocking(False)
        came = came[4 + length :]
    clients[conn] = came


while True:
    try:
        conn, _ = listener.accept()
        conn.setblocking(False)
        clients[conn] = b""
    except BlockingIOError:
        pass
    for conn in list(clients):
        try:
            look(conn)
        except BlockingIOError:
            pass
        except (EOFError, OSError):
            conn.close()
            del clients[conn]
    time.sleep(0.005)
