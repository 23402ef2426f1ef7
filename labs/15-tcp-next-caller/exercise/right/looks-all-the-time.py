# other: non-blocking sockets, and a look at all of them each five milliseconds
import os
import socket
import time

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
clients = []
while True:
    try:
        conn, _ = listener.accept()
        conn.setblocking(False)
        clients.append(conn)
    except BlockingIOError:
        pass
    for conn in list(clients):
        try:
            piece = conn.recv(65_536)
            if not piece:
                raise EOFError
            conn.setblocking(True)
            conn.sendall(piece.upper())
            conn.setblocking(False)
        except BlockingIOError:
            pass
        except (EOFError, OSError):
            conn.close()
            clients.remove(conn)
    time.sleep(0.005)
