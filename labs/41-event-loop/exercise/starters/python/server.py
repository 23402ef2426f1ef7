"""An echo server for a thousand clients, in one process. The task is in TASK.md."""

import os
import selectors
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))

selector = selectors.DefaultSelector()


def accept():
    conn, client = listener.accept()
    # Make it non-blocking, and register it, with what is still to be sent to this client.
    conn.close()


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(1024)
selector.register(listener, selectors.EVENT_READ, None)

while True:
    for key, events in selector.select():
        if key.data is None:
            accept()
