"""A server that answers in capital letters, and goes on whatever way its clients leave."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8081"))


def talk(conn):
    while data := conn.recv(1024):
        conn.sendall(data.upper())


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

while True:
    conn, client = listener.accept()
    with conn:
        try:
            talk(conn)
        except OSError as error:
            print(client, "left without a goodbye:", error)
