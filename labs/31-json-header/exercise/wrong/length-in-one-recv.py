# wrong: recv(4) is expected to give four bytes
# fails: length-in-pieces, byte-by-byte
# shows: wrong, what "good message"
import hashlib
import json
import os
import socket
import struct

LONGEST_HEADER = 1024
LARGEST = 65_536


class BadHeader(Exception):
    pass


def recv_exact(conn, n):
    data = b""
    while len(data) < n:
        piece = conn.recv(min(65_536, n - len(data)))
        if not piece:
            raise EOFError
        data += piece
    return data


def read_header(conn):
    (length,) = struct.unpack("!I", conn.recv(4))
    if length > LONGEST_HEADER:
        raise BadHeader
    try:
        header = json.loads(recv_exact(conn, length))
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
            header = read_header(conn)
            body = recv_exact(conn, header["size"])
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
    except (EOFError, OSError, struct.error):
        pass
    conn.close()
