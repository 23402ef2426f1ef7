# wrong: one message of one client is taken for all there is
# fails: one-client, next-client, second-waits, five-wait, silent-client, hundred-clients, rude-client, rude-reader,
# fails: any-bytes
# shows: ended, what "instead of answering"
# starters: make it
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
conn, client = listener.accept()
data = conn.recv(1024)
conn.sendall(data.upper())
conn.close()
listener.close()
