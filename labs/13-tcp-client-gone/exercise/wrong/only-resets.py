# wrong: ECONNRESET is taken for the only error that a client can cause
# fails: fin-then-reset
# shows: ended, exit nonzero
# race: whether the FIN or the RST behind it meets the send
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
            conn.sendall(data.upper())
    except ConnectionResetError:
        pass
    conn.close()
