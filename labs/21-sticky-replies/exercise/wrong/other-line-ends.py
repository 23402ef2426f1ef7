# wrong: whatever a text editor ends a line at is taken for the end of a line
# fails: text-as-it-is
# shows: expected "carriage"
import os
import socket

LONGEST = 1024


def answer(request):
    number, space, text = request.partition(b" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return b"?\n"
    return (text + b"\n") * int(number)


def serve(conn):
    stream = conn.makefile("r", encoding="utf-8")
    while (line := stream.readline(LONGEST + 1)).endswith("\n"):
        body = answer(line.removesuffix("\n").encode())
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
