# wrong: a thread is taken to cost nothing: each client gets one, however many come
# fails: hundred-at-once
# shows: says "can't start new thread"
import os
import socket
import threading

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


def serve_to_the_end(conn):
    with conn:
        try:
            serve(conn)
        except OSError:
            pass  # it is gone; the others are not


while True:
    conn, _ = listener.accept()
    threading.Thread(target=serve_to_the_end, args=(conn,)).start()
