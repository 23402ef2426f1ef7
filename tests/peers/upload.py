"""The old texts' first upload, as they have it: after each recv its server subtracts the buffer's size.

upload.py server PORT         receives one file, prints the length of each piece, and how much is stored
upload.py client PORT SIZE    sends a file of SIZE bytes
"""

import json
import socket
import struct
import sys

buffer = 1024


def serve(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen()
    print("ready", flush=True)
    conn, _ = listener.accept()
    (length,) = struct.unpack("i", conn.recv(4))
    header = json.loads(conn.recv(length).decode("utf-8"))
    filesize, stored = header["filesize"], b""
    print("header", flush=True)
    while filesize:
        content = conn.recv(buffer)
        stored += content
        print(len(content), flush=True)
        if filesize < buffer:
            break
        filesize -= buffer
    print(f"{len(stored)} of {header['filesize']}", flush=True)


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


if sys.argv[1] == "server":
    serve(int(sys.argv[2]))
else:
    send(int(sys.argv[2]), int(sys.argv[3]))
