"""A server that checks what a JSON header says. The task is in TASK.md."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

while True:
    conn, client = listener.accept()
    # Read the length of the header, the header and the body; look whether all is as it must be; answer.
    # The modules that you need: struct, json and hashlib.
    conn.close()
