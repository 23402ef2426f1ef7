# wrong: requests are expected to come as a whole: what has come is looked at when it ends with a newline
# fails: one-and-a-half
# shows: hangs, got nothing
import os
import socket

LONGEST = 1024


def answer(request):
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return b"?\n"
    return (text + b"\n") * int(number)


def serve(conn):
    came = b""
    while piece := conn.recv(4096):
        came += piece
        if len(came.rpartition(b"\n")[2]) > LONGEST:
            return
        if not came.endswith(b"\n"):
            continue
        for line in came[:-1].split(b"\n"):
            if len(line) > LONGEST:
                return
            body = answer(line)
            conn.sendall(b"%d\n" % len(body) + body)
        came = b""


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
