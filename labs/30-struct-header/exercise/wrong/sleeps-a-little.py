# wrong: what has come after a short sleep is taken for the whole message
# fails: split-anywhere, byte-by-byte, large-message, second-waits
# shows: wrong
import os
import socket
import struct
import time

LONGEST = 65_536


def is_whole(came):
    return len(came) >= 4 and len(came) - 4 >= struct.unpack("!I", came[:4])[0]


def what_is_there(conn):
    try:
        piece = conn.recv(70_000, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""
    if not piece:
        raise EOFError
    return piece


def serve(conn):
    while came := conn.recv(70_000):
        if not is_whole(came):
            time.sleep(0.05)
            came += what_is_there(conn)
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
        except (EOFError, OSError):
            pass  # this client is gone; the next one is not
