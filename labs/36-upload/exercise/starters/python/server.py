"""An upload server. The task is in TASK.md."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
FOLDER = os.environ.get("FOLDER", "inbox")

os.makedirs(FOLDER, exist_ok=True)
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

while True:
    conn, client = listener.accept()
    # Read the length of the header, the header and the file; look whether all is as it must be; keep it; answer.
    # The modules that you need: struct, json and hashlib.
    conn.close()
