# other: recv with a time-out of 50 ms, again and again; a time-out means nothing, and what has come is kept
import hashlib
import json
import os
import socket


class Stream:
    def __init__(self, conn):
        self.conn, self.came = conn, b""

    def take(self, count):
        while len(self.came) < count:
            try:
                piece = self.conn.recv(16_384)
            except TimeoutError:
                continue
            if not piece:
                raise EOFError
            self.came += piece
        taken, self.came = self.came[:count], self.came[count:]
        return taken

    def say(self, **fields):
        text = json.dumps(fields).encode()
        self.conn.settimeout(None)
        self.conn.sendall(len(text).to_bytes(4, "big") + text)
        self.conn.settimeout(0.05)


def read_header(stream):
    length = int.from_bytes(stream.take(4), "big")
    if length > 1024:
        raise ValueError(length)
    header = json.loads(stream.take(length))
    if type(header) is not dict or type(header.get("size")) is not int or not 0 <= header["size"] <= 65_536:
        raise ValueError(header)
    return header


def serve(stream):
    while True:
        try:
            header = read_header(stream)
        except ValueError:
            return stream.say(status="error", code="header")
        body = stream.take(header["size"])
        if hashlib.sha256(body).hexdigest() == header["sha256"]:
            stream.say(status="ok", name=header["name"], size=len(body))
        else:
            stream.say(status="error", code="digest")


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, _ = listener.accept()
    conn.settimeout(0.05)
    with conn:
        try:
            serve(Stream(conn))
        except (EOFError, OSError):
            pass
