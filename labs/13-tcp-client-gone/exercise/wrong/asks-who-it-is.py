# wrong: a connection that was accepted is taken to be there still when it is asked for its client's address
# fails: reset-at-once
# shows: ended, exit nonzero, says "not connected"
import os
import socket

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, _ = listener.accept()
    print("from", conn.getpeername(), flush=True)
    try:
        while data := conn.recv(1024):
            conn.sendall(data.upper())
    except OSError:
        pass
    conn.close()
