# other: a process for each client, all addresses, and output that nobody flushes
import os
import signal
import socket

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server(("", int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    print("somebody came:", client)
    if os.fork() == 0:
        listener.close()
        try:
            while data := conn.recv(100):
                conn.sendall(data.upper())
        except OSError:
            pass
        os._exit(0)
    conn.close()
