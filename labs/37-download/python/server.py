"""Sends the files of its folder, each with its digest behind it."""

import hashlib
import json
import os
import socket
import struct

SERVER = ("127.0.0.1", 8080)

def message(value):
    text = json.dumps(value).encode()
    return struct.pack("<i", len(text)) + text

with open("f1", "wb") as file:
    file.write(b"the first\nof two\n")

with socket.create_server(SERVER) as listener:
    while True:
        conn, client = listener.accept()
        with conn:
            while length := conn.recv(4, socket.MSG_WAITALL):
                request = json.loads(conn.recv(struct.unpack("<i", length)[0], socket.MSG_WAITALL))
                name = os.path.basename(request["filename"])
                with open(name, "rb") as file:
                    data = file.read()
                conn.sendall(message({"ok": True, "filesize": len(data), "offset": 0}))  # ②
                conn.sendall(data)  # ③
                conn.sendall(message({"sha256": hashlib.sha256(data).hexdigest()}))  # ④
                print(f"{client[0]}:{client[1]}: {name}: {len(data)} bytes, sent")
