# wrong: no message yet and an empty message are one and the same
# fails: empty-message
# shows: hangs, got nothing
import os
import socket
import struct

LONGEST = 65_536


def decode(came):
    """The next message, and what is behind it."""
    if len(came) < 4:
        return b"", came
    (length,) = struct.unpack("!I", came[:4])
    if length > LONGEST:
        raise ValueError("a length that cannot be believed")
    if len(came) < 4 + length:
        return b"", came
    return came[4:4 + length], came[4 + length:]


def serve(conn):
    came = b""
    while piece := conn.recv(65_536):
        came += piece
        while True:
            text, came = decode(came)
            if not text:
                break  # the rest is still to come
            conn.sendall(struct.pack("!I", len(text)) + text.upper())


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        serve(conn)
    except (ValueError, OSError):
        pass
    conn.close()
