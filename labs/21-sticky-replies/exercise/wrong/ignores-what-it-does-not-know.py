# wrong: what is not understood is expected to need no answer
# fails: not-understood
# shows: hangs, got nothing
import os
import socket

LONGEST = 1024


def answer(request):
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return None
    return (text + b"\n") * int(number)


def serve(conn):
    rest = b""
    while piece := conn.recv(4096):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if len(line) > LONGEST:
                return
            body = answer(line)
            if body is None:
                continue
            conn.sendall(b"%d\n" % len(body) + body)
        if len(rest) > LONGEST:
            return


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
