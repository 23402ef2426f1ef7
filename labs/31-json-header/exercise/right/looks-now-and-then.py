# other: recv never waits; when there is nothing it sleeps for 10 ms, and keeps what has come
import hashlib
import json
import os
import socket
import time


def take(conn, count):
    data = bytearray()
    while len(data) < count:
        try:
            piece = conn.recv(count - len(data), socket.MSG_DONTWAIT)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def understood(conn):
    length = int.from_bytes(take(conn, 4), "big")
    try:
        header = json.loads(take(conn, length)) if length <= 1024 else None
    except ValueError:
        header = None
    size = header.get("size") if type(header) is dict else None
    return header if type(size) is int and 0 <= size <= 65_536 else None


def answer(conn, fields):
    text = json.dumps(fields).encode()
    conn.sendall(len(text).to_bytes(4, "big") + text)


def serve(conn):
    while header := understood(conn):
        body = take(conn, header["size"])
        if hashlib.sha256(body).hexdigest() == header["sha256"]:
            answer(conn, {"status": "ok", "name": header["name"], "size": len(body)})
        else:
            answer(conn, {"status": "error", "code": "digest"})
    answer(conn, {"status": "error", "code": "header"})


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, _ = listener.accept()
    try:
        serve(conn)
    except (EOFError, OSError):
        pass
    conn.close()
