# other: a thread for each client, read by makefile(); an answer in two sends; it prints much
import hashlib
import json
import os
import socket
import threading


def serve(conn):
    with conn, conn.makefile("rb") as stream:
        try:
            while talk(conn, stream):
                print("one more", "." * 3000)
        except OSError as error:
            print("left without a goodbye:", error, flush=True)


def say(conn, **what):
    text = json.dumps(what, separators=(",", ":")).encode()
    conn.sendall(len(text).to_bytes(4, "big"))
    conn.sendall(text)


def talk(conn, stream):
    length = stream.read(4)
    if len(length) < 4:
        return False
    length = int.from_bytes(length, "big")
    head = None
    if length <= 1024:
        text = stream.read(length)
        if len(text) < length:
            return False
        try:
            head = json.loads(text)
        except (json.JSONDecodeError, UnicodeDecodeError):
            pass
    size = head.get("size") if isinstance(head, dict) else None
    if isinstance(size, bool) or not isinstance(size, int) or size < 0 or size > 65536:
        say(conn, status="error", code="header")
        return False
    body = stream.read(size)
    if len(body) < size:
        return False
    if hashlib.sha256(body).hexdigest() != head["sha256"]:
        say(conn, code="digest", status="error")
    else:
        say(conn, size=size, status="ok", name=head["name"])
    return True


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
