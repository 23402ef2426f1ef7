"""Passes an open file to one client, which may not be allowed to open it."""

import os
import socket

NAME = "lab-46.sock"

with open("private.txt", "w+b") as file, socket.socket(socket.AF_UNIX) as listener:
    file.write(b"nobody may open this")
    file.flush()
    file.seek(0)
    os.chmod("private.txt", 0)
    listener.bind(NAME)
    listener.listen(5)
    conn, _client = listener.accept()
    with conn:
        socket.send_fds(conn, [b"a file"], [file.fileno()])
        conn.recv(1)  # until the client has gone
    print(os.read(file.fileno(), 64).decode())
os.unlink("private.txt")
os.unlink(NAME)
