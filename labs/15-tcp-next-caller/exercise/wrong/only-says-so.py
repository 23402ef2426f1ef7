# wrong: a message on the screen is taken for an exit code
# fails: port-taken
# shows: exit 0
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
    listener.listen(5)
except OSError as error:
    print("cannot listen:", error)
    raise SystemExit
while True:
    conn, client = listener.accept()
    try:
        while data := conn.recv(1024):
            conn.sendall(data.upper())
    except OSError:
        pass
    conn.close()
