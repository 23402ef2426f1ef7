# wrong: a client is expected to wait for an answer before it goes on
# fails: several-in-one, one-and-a-half, late-reader, goodbye
# shows: hangs, got less
import os
import socket

LONGEST = 1024


def answer(request):
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return b"?\n"
    return (text + b"\n") * int(number)


def serve(conn):
    while True:
        came = b""
        while b"\n" not in came:
            if len(came) > LONGEST:
                return
            piece = conn.recv(4096)
            if not piece:
                return
            came += piece
        request = came.split(b"\n")[0]
        if len(request) > LONGEST:
            return
        body = answer(request)
        conn.sendall(b"%d\n" % len(body) + body)


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    with conn:
        try:
            serve(conn)
        except OSError:
            pass  # this client is gone; the next one is not
