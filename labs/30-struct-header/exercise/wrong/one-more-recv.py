# wrong: one more recv after a sleep is expected to give the rest
# fails: byte-by-byte
# shows: wrong
import os
import socket
import struct
import time

LONGEST = 65_536


def is_whole(came):
    if len(came) < 4:
        return False
    (length,) = struct.unpack("!I", came[:4])
    return length > LONGEST or len(came) - 4 >= length


def serve(conn):
    came = b""
    while piece := conn.recv(70_000):
        came += piece
        if not is_whole(came):
            time.sleep(0.05)
            rest = conn.recv(70_000)
            if not rest:
                return
            came += rest
        while len(came) >= 4:
            (length,) = struct.unpack("!I", came[:4])
            if length > LONGEST:
                return
            text, came = came[4:4 + length].upper(), came[4 + length:]
            conn.sendall(struct.pack("!I", len(text)) + text)


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
