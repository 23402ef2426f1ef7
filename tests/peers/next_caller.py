"""The accept loop as the classic texts have it, with its bare `except`; clients that leave in different ways.

next_caller.py server PORT           serves one client after the other; prints `ready` when it listens
next_caller.py client PORT reset     leaves with a reset, as one does who has not read the answer
next_caller.py client PORT gbk       sends what is not UTF-8, prints how long the answer is
next_caller.py client PORT q TEXT... sends each text, prints each answer, and leaves with q
"""

import socket
import struct
import sys


def serve(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    print("ready", flush=True)
    while True:
        conn, _ = listener.accept()
        while True:
            try:
                data = conn.recv(1024)
                if not data:
                    break
                conn.send(data.decode("utf-8").upper().encode("utf-8"))
            except:
                break
        conn.close()


def call(port, manner, texts):
    conn = socket.create_connection(("127.0.0.1", port))
    if manner == "reset":
        conn.send(b"hello")
        conn.recv(1024)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
    elif manner == "gbk":
        conn.send("你好".encode("gbk"))
        print(f"an answer of {len(conn.recv(1024))} bytes", flush=True)
    else:
        for text in texts:
            conn.send(text.encode())
            print(conn.recv(1024).decode(), flush=True)
        conn.send(b"q")
        conn.close()


if sys.argv[1] == "server":
    serve(int(sys.argv[2]))
else:
    call(int(sys.argv[2]), sys.argv[3], sys.argv[4:])
