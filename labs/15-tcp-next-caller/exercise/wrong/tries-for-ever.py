# wrong: whatever goes wrong, another try is expected to mend it
# fails: port-taken
# shows: spins
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
while True:
    try:
        listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
        listener.listen(5)
        break
    except OSError:
        pass
while True:
    conn, client = listener.accept()
    try:
        while data := conn.recv(1024):
            conn.sendall(data.upper())
    except OSError:
        pass
    conn.close()
