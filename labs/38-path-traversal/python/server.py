"""Stores what it is sent, under the name that it is sent with. It believes every name."""

import json
import os
import socket
import struct

SERVER = ("127.0.0.1", 9991)

os.makedirs("lab-38-server/server_home", exist_ok=True)
os.chdir("lab-38-server")
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    print("start.....")
    while True:
        conn, _client = listener.accept()
        with conn:
            (length,) = struct.unpack("i", conn.recv(4))
            header = json.loads(conn.recv(length))
            print(header)
            path = os.path.join("server_home", header["file_name"])  # ③
            size, have = header["file_size"], 0
            with open(path, "wb") as file:  # ④
                while have < size and (piece := conn.recv(size - have)):
                    file.write(piece)  # ⑤
                    have += len(piece)
            print(f"file received, {have} bytes in all")
