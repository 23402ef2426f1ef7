# wrong: a client is expected to say one thing only
# fails: one-client, second-waits, any-bytes
# shows: wrong, what "closed the connection"
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        data = conn.recv(1024)
        conn.sendall(data.upper())
    except OSError:
        pass
    conn.close()
