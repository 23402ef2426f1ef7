# wrong: a socket that does not block is asked again and again whether something has come
# fails: rests
# shows: spins
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
listener.setblocking(False)
while True:
    try:
        conn, client = listener.accept()
    except BlockingIOError:
        continue
    conn.setblocking(False)
    line = b""
    try:
        while not line.endswith(b"\n"):
            try:
                piece = conn.recv(1024)
            except BlockingIOError:
                continue
            if not piece:
                break
            line += piece
        conn.setblocking(True)
        conn.sendall(line.upper())
    except OSError:
        pass
    conn.close()
