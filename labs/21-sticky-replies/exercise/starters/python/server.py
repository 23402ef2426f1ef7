"""A server that takes requests in lines, and answers with the length in front. The task is in TASK.md."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))


def answer(request):
    """What a request is answered, without the length: the text and a newline, so many times."""
    number, _, text = request.partition(b" ")
    if not number.isdigit():
        return b"?\n"
    return (text + b"\n") * int(number)


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

while True:
    conn, client = listener.accept()
    # Find the requests in what comes; send each answer behind its length.
    conn.close()
