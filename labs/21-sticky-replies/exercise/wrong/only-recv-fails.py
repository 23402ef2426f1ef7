# wrong: only a recv is expected to fail: what a send to a client that has gone does is not looked at
# fails: reset-while-it-sends
# shows: ended, exit nonzero
# race: whether the RST of a client comes before its answer is sent or after
import os
import socket

LONGEST = 1024


def answer(request):
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return b"?\n"
    return (text + b"\n") * int(number)


def receive(conn):
    try:
        return conn.recv(4096)
    except OSError:
        return b""


def serve(conn):
    rest = b""
    while piece := receive(conn):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if len(line) > LONGEST:
                return
            body = answer(line)
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
        serve(conn)
