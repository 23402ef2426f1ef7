# wrong: the client is expected to close the connection
# fails: answers-and-closes, fin-not-reset, restart-after-fin, restart-client-stays
# shows: hangs, in recv
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        line = b""
        while not line.endswith(b"\n") and (piece := conn.recv(1024)):
            line += piece
        conn.sendall(line.upper())
        conn.recv(1)  # until the client has closed
    except OSError:
        pass
    conn.close()
