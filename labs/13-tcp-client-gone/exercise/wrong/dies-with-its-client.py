# wrong: a client is expected to close with FIN, and nothing else can happen to a connection
# fails: reset-at-once, reset-while-it-waits, answer-unread, reset-while-it-sends, fin-then-reset
# shows: ended, exit nonzero
# starters: make it
# race: whether the RST meets a recv or a send
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    while data := conn.recv(1024):
        conn.sendall(data.upper())
    conn.close()
