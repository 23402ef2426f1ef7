"""Sends files from client_home, or from wherever the name leads."""

import json
import os
import socket
import struct

SERVER = ("127.0.0.1", 9991)


def put(conn, name):
    with open(os.path.join("client_home", name), "rb") as file:  # ①
        content = file.read()
    header = json.dumps({"func": "put", "file_name": name, "file_size": len(content)}).encode()
    conn.sendall(struct.pack("i", len(header)))
    conn.sendall(header)  # ②
    for line in content.splitlines(keepends=True):
        conn.sendall(line)


os.makedirs("lab-38-client/client_home", exist_ok=True)
os.chdir("lab-38-client")
with open("up.txt", "w") as file:
    file.write("hello\n")
with socket.create_connection(SERVER) as conn:
    while (words := input(">>").split())[:1] != ["q"]:
        if words[:1] == ["put"] and len(words) > 1:
            put(conn, words[1])
        else:
            print("input error")
