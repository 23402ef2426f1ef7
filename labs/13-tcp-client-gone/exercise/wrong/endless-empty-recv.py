# wrong: a connection is expected to end in another way than by a recv that gives nothing
# fails: closes-too, rests, next-client, hundreds
# shows: spins
# starters: make it
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        while True:
            data = conn.recv(1024)
            conn.sendall(data.upper())
    except OSError:
        pass
    conn.close()
