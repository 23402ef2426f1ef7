# wrong: each piece is expected to be text: characters are taken to come as a whole
# fails: cut-character
# shows: ended, exit nonzero
import os
import socket

LONGEST = 1024


def answer(request):
    number, space, text = request.partition(" ")
    if not space or not number.isdigit() or int(number) > 1000:
        return b"?\n"
    return (text + "\n").encode() * int(number)


def serve(conn):
    rest = ""
    while piece := conn.recv(4096):
        *lines, rest = (rest + piece.decode()).split("\n")
        for line in lines:
            if len(line.encode()) > LONGEST:
                return
            body = answer(line)
            conn.sendall(b"%d\n" % len(body) + body)
        if len(rest.encode()) > LONGEST:
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
