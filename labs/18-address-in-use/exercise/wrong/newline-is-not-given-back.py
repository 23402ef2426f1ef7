# wrong: the newline is taken off the line, and not put back for the answer
# fails: answers-and-closes
# shows: got no newline
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        with conn, conn.makefile("rb") as lines:
            conn.sendall(lines.readline().strip().upper())
    except OSError:
        pass
