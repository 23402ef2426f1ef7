# wrong: a process that has ended is taken to be gone: nobody waits for it
# fails: hundreds
# shows: got nothing, says "fork"
import os
import socket

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    if os.fork() == 0:
        listener.close()
        try:
            while data := conn.recv(1024):
                conn.sendall(data.upper())
        except OSError:
            pass
        os._exit(0)
    conn.close()
