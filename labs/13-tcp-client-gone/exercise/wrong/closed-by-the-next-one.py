# wrong: a connection is expected to close itself when the next one takes its place
# fails: closes-too
# shows: hangs, in accept
import os
import socket

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    try:
        while data := conn.recv(1024):
            conn.sendall(data.upper())
    except OSError:
        pass
