# wrong: a client that says nothing for a while is taken for one that has gone
# fails: one-client
# shows: wrong, what "closed the connection"
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(50)
while True:
    conn, client = listener.accept()
    conn.settimeout(1)
    try:
        while data := conn.recv(1024):
            conn.sendall(data.upper())
    except OSError:
        pass
    conn.close()
