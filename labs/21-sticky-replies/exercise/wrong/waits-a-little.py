# wrong: what has come before a time-out of recv is taken for the whole request
# fails: split-anywhere
# shows: wrong, what "too early"
import os
import socket

LONGEST = 1024


def answer(request):
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return b"?\n"
    return (text + b"\n") * int(number)


def serve(conn):
    rest = b""
    while True:
        try:
            piece = conn.recv(4096)
        except TimeoutError:
            if not rest:
                continue
            piece = b"\n"  # it must have been all
        if not piece:
            return
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if len(line) > LONGEST:
                return
            body = answer(line)
            conn.setblocking(True)
            conn.sendall(b"%d\n" % len(body) + body)
            conn.settimeout(0.8)
        if len(rest) > LONGEST:
            return


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    conn.settimeout(0.8)
    with conn:
        try:
            serve(conn)
        except OSError:
            pass  # this client is gone; the next one is not
