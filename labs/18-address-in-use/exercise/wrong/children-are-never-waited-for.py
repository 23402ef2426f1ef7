# wrong: a process that has ended is taken to be gone: nobody waits for it
# fails: answers-and-closes
# shows: got nothing, says "fork"
import os
import socket

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    if os.fork() == 0:
        try:
            line = conn.makefile("rb").readline()
            conn.sendall(line.upper())
        except OSError:
            pass
        os._exit(0)
    conn.close()
