# wrong: a client is expected to wait for a greeting before it asks
# fails: one-client, next-client, rests, second-waits, five-wait, silent-client, hundred-clients, rude-client,
# fails: rude-reader, any-bytes, port-taken
# shows: wrong, expected "nothing"
import os
import socket

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    try:
        conn.sendall(b"Welcome! I make capital letters.\n")
        while data := conn.recv(1024):
            conn.sendall(data.upper())
    except OSError:
        pass
    conn.close()
