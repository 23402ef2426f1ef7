# wrong: the first client is taken for the only one
# fails: next-client, reset-at-once, reset-while-it-waits, answer-unread, reset-while-it-sends, fin-then-reset,
# fails: hundreds
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
