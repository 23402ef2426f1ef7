"""A server that takes requests in lines, and answers with the length in front."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
LONGEST = 1024
MOST_TIMES = 1000


def answer(request):
    """What a request is answered, without the length: the text and a newline, so many times."""
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > MOST_TIMES:
        return b"?\n"
    return (text + b"\n") * int(number)


def requests(conn):
    """Each request once it is whole, until the client leaves or sends one that is too long."""
    rest = b""
    while piece := conn.recv(4096):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if len(line) > LONGEST:
                return
            yield line
        if len(rest) > LONGEST:
            return


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

while True:
    conn, client = listener.accept()
    with conn:
        try:
            for request in requests(conn):
                body = answer(request)
                conn.sendall(b"%d\n" % len(body) + body)
        except OSError:
            pass  # this client is gone; the next one is not
