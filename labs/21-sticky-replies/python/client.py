"""Sends commands, and takes what one recv brings for the answer."""

import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    try:
        while True:
            conn.send(input(">>>").encode())
            print(conn.recv(1024).decode().rstrip())  # ①
    except EOFError:  # the user pressed Ctrl-D
        pass
