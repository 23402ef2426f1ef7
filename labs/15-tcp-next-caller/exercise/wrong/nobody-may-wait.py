# wrong: the number in listen is taken for the number of clients
# fails: five-wait
# shows: what "cannot connect"
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(1)
while True:
    conn, client = listener.accept()
    try:
        while data := conn.recv(1024):
            conn.sendall(data.upper())
    except OSError:
        pass
    conn.close()
