"""A server that sends as much as its clients ask for, as they read it. The task is in TASK.md."""

import os
import selectors
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
LETTERS = b"abcdefghijklmnopqrstuvwxyz"

selector = selectors.DefaultSelector()


def accept():
    conn, client = listener.accept()
    # Make it non-blocking, and register it, with what you have to know about this client.
    conn.close()


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(100)
selector.register(listener, selectors.EVENT_READ, None)

while True:
    for key, events in selector.select():
        if key.data is None:
            accept()
