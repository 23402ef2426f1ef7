# wrong: a port is expected to be free when its program is gone, or SO_REUSEADDR to help when it is set after bind
# fails: restart-after-fin, restart-client-stays, restart-in-a-talk
# shows: ended, exit nonzero
# starters: make it
import os
import socket

listener = socket.socket()
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        line = b""
        while not line.endswith(b"\n") and (piece := conn.recv(1024)):
            line += piece
        conn.sendall(line.upper())
    except OSError:
        pass
    conn.close()
