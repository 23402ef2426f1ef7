# wrong: every client is expected to finish its line
# fails: leaver
# shows: spins

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))


def read_line(conn):
    line = b""
    while not line.endswith(b"\n"):
        line += conn.recv(1024)
    return line


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
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
