# wrong: one accept is taken for all clients
# fails: next-client, second-waits, five-wait, silent-client, hundred-clients, rude-client, rude-reader
# shows: ended
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
conn, client = listener.accept()
try:
    while data := conn.recv(1024):
        conn.sendall(data.upper())
except OSError:
    pass
conn.close()
