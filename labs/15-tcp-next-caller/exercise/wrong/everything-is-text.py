# wrong: what comes from the network is taken for UTF-8
# fails: any-bytes
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
        while data := conn.recv(1024):
            conn.sendall(data.decode().upper().encode())
    except (OSError, UnicodeDecodeError):
        pass
    conn.close()
