"""A server that answers one line, and closes; it can be restarted at once."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))


def read_line(conn):
    """Reads up to the newline; what came until then if the client leaves before."""
    line = b""
    while not line.endswith(b"\n"):
        piece = conn.recv(1024)
        if not piece:
            break
        line += piece
    return line


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
# Connections of the program that was here before do not count. A listener does.
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

while True:
    conn, client = listener.accept()
    with conn:
        try:
            conn.sendall(read_line(conn).upper())
        except OSError as error:
            print(client, "left without a goodbye:", error)
