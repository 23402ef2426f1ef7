# wrong: what is left over of one client is kept for the next one
# fails: unfinished, reset-in-a-request
# shows: wrong, what "not what it must be"
import os
import socket

LONGEST = 1024


def answer(request):
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return b"?\n"
    return (text + b"\n") * int(number)


rest = b""


def serve(conn):
    global rest
    while piece := conn.recv(4096):
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
        try:
            serve(conn)
        except OSError:
            pass  # this client is gone; the next one is not
