"""A server that reads a name and a text. The task is in TASK.md."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))


def serve(conn):
    # Is this the whole name? And only the name?
    name = conn.recv(1024)
    conn.sendall(name)
    while piece := conn.recv(1024):
        # Do the characters end where the piece ends?
        for character in piece.decode():
            conn.sendall(b"U+%04X\n" % ord(character))


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

while True:
    conn, client = listener.accept()
    with conn:
        try:
            serve(conn)
        except (OSError, UnicodeDecodeError):
            pass  # this client is gone; the next one is not
