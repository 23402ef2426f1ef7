# wrong: one recv is taken for one request
# fails: several-in-one, one-and-a-half, split-anywhere, byte-by-byte, cut-character, longest-request,
# fails: too-long, late-reader, goodbye, unfinished
# shows: wrong
import os
import socket


def answer(request):
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return b"?\n"
    return (text + b"\n") * int(number)


def serve(conn):
    while request := conn.recv(4096):
        body = answer(request.removesuffix(b"\n"))
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
