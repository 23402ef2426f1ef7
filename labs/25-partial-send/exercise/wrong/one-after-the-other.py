# wrong: to serve one client after the other is expected to be quick enough for all
# fails: slow-asker, fast-beside-slow, hundred-at-once, memory
# shows: hangs, in recv
import os
import socket

LETTERS = b"abcdefghijklmnopqrstuvwxyz" * 1000


def serve(conn):
    question = b""
    while not question.endswith(b"\n"):
        piece = conn.recv(100)
        if not piece:
            return
        question += piece
    size = int(question)
    for sent in range(0, size, len(LETTERS)):
        conn.sendall(LETTERS[: size - sent])


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])), backlog=100)
while True:
    conn, _ = listener.accept()
    with conn:
        try:
            serve(conn)
        except OSError:
            pass  # it is gone; the next one is not
