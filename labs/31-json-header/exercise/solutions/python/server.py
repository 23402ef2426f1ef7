"""A server that checks what a JSON header says."""

import hashlib
import json
import os
import socket
import struct

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
LONGEST_HEADER = 1024
LARGEST = 65_536


class BadHeader(Exception):
    """Nobody knows where the next message begins."""


def recv_exact(conn, n):
    """Reads n bytes, in however many pieces they come."""
    data = bytearray()
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            raise EOFError("the client left")
        data += piece
    return bytes(data)


def read_header(conn):
    (length,) = struct.unpack("!I", recv_exact(conn, 4))
    if length > LONGEST_HEADER:
        raise BadHeader("it is too long")
    try:
        header = json.loads(recv_exact(conn, length))
    except ValueError as error:
        raise BadHeader("it is no JSON") from error
    # True is an int, too.
    if not isinstance(header, dict) or type(header.get("size")) is not int:
        raise BadHeader("it has no size")
    if not 0 <= header["size"] <= LARGEST:
        raise BadHeader("nothing is of that size")
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


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

while True:
    conn, client = listener.accept()
    with conn:
        try:
            serve(conn)
        except (EOFError, OSError):
            pass  # this client is gone; the next one is not
