# wrong: EPIPE is taken for the only error that a client can cause
# fails: reset-at-once, reset-while-it-waits, answer-unread, reset-while-it-sends
# shows: ended, exit nonzero
# never with: only-resets
# race: whether the RST meets a recv or a send
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
    except BrokenPipeError:
        pass
    conn.close()
