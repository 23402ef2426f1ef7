# wrong: one recv is taken for one message
# fails: length-in-pieces, header-in-pieces, body-in-pieces, byte-by-byte, names, three-in-one, largest-body,
# fails: fin-in-a-message
# shows: wrong
import hashlib
import json
import os
import socket
import struct

LONGEST_HEADER = 1024
LARGEST = 65_536


class BadHeader(Exception):
    pass


def read_header(message):
    if len(message) < 4:
        raise BadHeader
    (length,) = struct.unpack("!I", message[:4])
    if length > LONGEST_HEADER:
        raise BadHeader
    try:
        header = json.loads(message[4 : 4 + length])
    except ValueError:
        raise BadHeader
    if type(header) is not dict or type(header.get("size")) is not int:
        raise BadHeader
    if not 0 <= header["size"] <= LARGEST:
        raise BadHeader
    return header


def answer(conn, **fields):
    header = json.dumps(fields).encode()
    conn.sendall(struct.pack("!I", len(header)) + header)


def serve(conn):
    try:
        while True:
            message = conn.recv(70_000)
            if not message:
                return
            header = read_header(message)
            body = message[4 + struct.unpack("!I", message[:4])[0] :]
            if hashlib.sha256(body).hexdigest() == header["sha256"]:
                answer(conn, status="ok", name=header["name"], size=len(body))
            else:
                answer(conn, status="error", code="digest")
    except BadHeader:
        answer(conn, status="error", code="header")


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        serve(conn)
    except (EOFError, OSError):
        pass
    conn.close()
