"""The two ends of a conversation as the classic texts have them, which leave at the wrong moment.

goodbyes.py server PORT       answers one message and is gone, its answer and its goodbye in one segment; prints `ready`
                              when it listens
goodbyes.py client PORT TEXT  sends the text, waits until its answer is there, and closes without reading it
"""

import socket
import sys


def serve(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    print("ready", flush=True)
    conn, _ = listener.accept()
    conn.send(conn.recv(1024).upper(), socket.MSG_MORE)
    conn.close()


def call(port, text):
    conn = socket.create_connection(("127.0.0.1", port))
    conn.send(text.encode())
    conn.recv(1, socket.MSG_PEEK)
    conn.close()


if sys.argv[1] == "server":
    serve(int(sys.argv[2]))
else:
    call(int(sys.argv[2]), sys.argv[3])
