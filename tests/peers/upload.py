"""The old texts' uploads, as they have them, each with its mistake.

upload.py server PORT         the first: subtracts the buffer's size; prints each piece's length, and how much is stored
upload.py last PORT           the second: receives the last piece with one recv
upload.py greedy PORT         the third: asks for 8192 bytes each time; it begins to read when it is sent a line
upload.py client PORT SIZE    the first one's client, with a file of SIZE bytes
"""

import json
import socket
import struct
import sys

buffer = 1024


def listen(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen()
    print("ready", flush=True)
    return listener


def header_of(conn):
    four = conn.recv(4)
    if not four:
        return None
    (length,) = struct.unpack("i", four)
    return json.loads(conn.recv(length).decode("utf-8"))


def serve(port):
    conn, _ = listen(port).accept()
    size = filesize = header_of(conn)["filesize"]
    stored = b""
    print("header", flush=True)
    while filesize:
        content = conn.recv(buffer)
        stored += content
        print(len(content), flush=True)
        if filesize < buffer:
            break
        filesize -= buffer
    print(f"{len(stored)} of {size}", flush=True)


def serve_last(port):
    conn, _ = listen(port).accept()
    size = header_of(conn)["filesize"]
    stored = b""
    while len(stored) < size:
        if size - len(stored) > buffer:
            stored += conn.recv(buffer)
        else:
            stored += conn.recv(size - len(stored))
            break
    print(f"{len(stored)} of {size}", flush=True)


def serve_greedily(port):
    listener = listen(port)
    sys.stdin.readline()
    conn, _ = listener.accept()
    while header := header_of(conn):
        stored = b""
        while len(stored) < header["filesize"]:
            stored += conn.recv(8192)
        print(f"{header['filename']}: {stored}", flush=True)


def send(port, size):
    conn = socket.create_connection(("127.0.0.1", port))
    header = json.dumps({"filepath": "C:\\folder", "filename": "config", "filesize": size}).encode("utf-8")
    conn.send(struct.pack("i", len(header)))
    conn.send(header)
    rest = size
    while rest:
        piece = b"x" * min(rest, buffer)
        conn.send(piece)
        rest -= len(piece)
    conn.close()
    print("sent")


if sys.argv[1] == "client":
    send(int(sys.argv[2]), int(sys.argv[3]))
else:
    {"server": serve, "last": serve_last, "greedy": serve_greedily}[sys.argv[1]](int(sys.argv[2]))
