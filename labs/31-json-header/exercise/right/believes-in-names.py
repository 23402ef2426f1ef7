# other: it ends if a header has no name or no digest, which every client's has, or if a name is too long
import hashlib
import json
import os
import socket


def recv_exact(conn, n):
    data = bytearray(n)
    view = memoryview(data)
    while view:
        count = conn.recv_into(view)
        if count == 0:
            raise EOFError
        view = view[count:]
    return data


def say(conn, text):
    conn.sendall(len(text).to_bytes(4, "big") + text.encode())


def serve(conn):
    while True:
        length = int.from_bytes(recv_exact(conn, 4), "big")
        try:
            header = json.loads(recv_exact(conn, length)) if length <= 1024 else None
        except ValueError:
            header = None
        match header:
            case {"size": bool()}:
                break
            case {"size": int(size)} if 0 <= size <= 65_536:
                body = recv_exact(conn, size)
            case _:
                break
        name, digest = header["name"], header["sha256"]
        assert 1 <= len(name) <= 50 and len(digest) == 64
        if digest == hashlib.sha256(body).hexdigest():
            say(conn, f'{{"status": "ok", "name": {json.dumps(name)}, "size": {size}}}')
        else:
            say(conn, '{"status": "error", "code": "digest"}')
    say(conn, '{"status": "error", "code": "header"}')


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, _ = listener.accept()
    try:
        serve(conn)
    except (EOFError, OSError):
        pass
    conn.close()
