# wrong: a process is taken to cost nothing: each client gets one, however many come
# fails: hundred-at-once
# shows: says "fork"
import os
import signal
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


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])), backlog=100)
while True:
    conn, _ = listener.accept()
    if os.fork() == 0:
        listener.close()
        with conn:
            try:
                serve(conn)
            except OSError:
                pass  # it is gone; the others are not
        os._exit(0)
    conn.close()
