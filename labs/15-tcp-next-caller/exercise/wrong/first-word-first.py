# wrong: each client is expected to say something
# fails: silent-client
# shows: ended
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
        first = data[0]  # the kind of message
        while data:
            conn.sendall(data.upper())
            data = conn.recv(1024)
    except OSError:
        pass
    conn.close()
