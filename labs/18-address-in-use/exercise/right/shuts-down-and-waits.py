# other: it says goodbye with shutdown, and waits for the client's goodbye before it closes; a thread for each client
import os
import socket
import threading


def talk(conn):
    try:
        line = b""
        while not line.endswith(b"\n") and (piece := conn.recv(1)):
            line += piece
        conn.sendall(line.upper())
        conn.shutdown(socket.SHUT_WR)
        while conn.recv(1024):
            pass
    except OSError:
        pass
    conn.close()


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, _ = listener.accept()
    threading.Thread(target=talk, args=(conn,)).start()
