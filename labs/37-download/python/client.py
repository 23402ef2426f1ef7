"""Fetches files. Each gets its name when all of it is on the disk, and has the digest that it should have."""

import hashlib
import json
import os
import socket
import struct

def receive(conn):
    (length,) = struct.unpack("<i", conn.recv(4, socket.MSG_WAITALL))
    return json.loads(conn.recv(length, socket.MSG_WAITALL))

with socket.create_connection(("127.0.0.1", 8080)) as conn:
    while (words := input(">>: ").split()) != ["q"]:
        request = {"cmd": "get", "filename": words[-1], "digest": "sha256", "offset": 0}
        text = json.dumps(request).encode()
        conn.sendall(struct.pack("<i", len(text)) + text)  # ①
        left, digest = receive(conn)["filesize"], hashlib.sha256()
        with open("unfinished", "wb") as file:
            while left and (piece := conn.recv(min(left, 8192))):  # ③
                digest.update(piece)
                left -= file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if left or receive(conn)["sha256"] != digest.hexdigest():  # ④
            raise SystemExit("this is not the file")
        os.rename("unfinished", words[-1])  # ⑤
        print(f"{words[-1]}: {os.path.getsize(words[-1])} bytes, here")
