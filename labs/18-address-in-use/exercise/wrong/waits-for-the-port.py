# wrong: a port in use is expected to become free if one waits for it
# fails: restart-after-fin, restart-client-stays, restart-in-a-talk, port-taken
# shows: in sleep
import os
import socket
import time

listener = socket.socket()
while True:
    try:
        listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
        break
    except OSError:
        time.sleep(0.1)
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
