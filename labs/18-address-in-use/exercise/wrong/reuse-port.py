# wrong: SO_REUSEPORT is taken for SO_REUSEADDR
# fails: port-not-shared
# shows: what "second server"
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        line = b""
        while not line.endswith(b"\n") and (piece := conn.recv(1024)):
            line += piece
        conn.sendall(line.upper())
    except OSError:
        pass
    conn.close()
