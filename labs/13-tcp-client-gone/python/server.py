"""Sends back in capitals what a client says, and does not notice that the client has left."""

import socket

SERVER = ("127.0.0.1", 8081)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    while True:
        conn, client = listener.accept()
        while True:
            data = conn.recv(1024)  # ③
            # if not data: break
            print(data)
            conn.send(data.upper())  # ④
