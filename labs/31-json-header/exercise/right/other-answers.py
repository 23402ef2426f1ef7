# other: answers in another order, with blanks between the fields, characters as they are, and fields besides
import hashlib
import json
import os
import socket
import time


def recv_exact(conn, n):
    data = b""
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def answer(conn, **fields):
    text = json.dumps({"server": "你好", "time": time.time(), **fields}, ensure_ascii=False, indent=4, sort_keys=True)
    text = (text + "\r\n").encode()
    conn.sendall(len(text).to_bytes(4, "big") + text)


def refuse(conn, why):
    answer(conn, code="header", status="error", why=why)
    raise EOFError


def read_header(conn):
    length = int.from_bytes(recv_exact(conn, 4), "big")
    if length > 1024:
        refuse(conn, "too long")
    try:
        header = json.loads(recv_exact(conn, length))
    except ValueError as error:
        refuse(conn, str(error))
    if not isinstance(header, dict):
        refuse(conn, "no object")
    size = header.get("size")
    if type(size) is not int or not 0 <= size <= 65_536:
        refuse(conn, "no size")
    return header


def serve(conn):
    while True:
        header = read_header(conn)
        body = recv_exact(conn, header["size"])
        is_digest = hashlib.sha256(body).hexdigest()
        if is_digest == header["sha256"]:
            answer(conn, status="ok", size=len(body), name=header["name"], sha256=is_digest, code=None)
        else:
            answer(conn, code="digest", status="error", expected=header["sha256"], is_digest=is_digest)


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, _ = listener.accept()
    try:
        serve(conn)
    except (EOFError, OSError):
        pass
    conn.close()
