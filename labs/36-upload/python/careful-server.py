"""Receives a file. Its name appears when all of it is on the disk, and only then does the client hear of it."""

import json
import os
import socket
import struct

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    conn, _client = listener.accept()
    with conn:
        (length,) = struct.unpack("<i", conn.recv(4, socket.MSG_WAITALL))
        header = json.loads(conn.recv(min(length, 1024), socket.MSG_WAITALL))
        left = header["filesize"]
        with open("unfinished", "xb") as file:  # ①
            while left:
                piece = conn.recv(min(left, 8192))  # ②
                if not piece:
                    os.unlink("unfinished")
                    raise SystemExit("the client left before the end of the file")
                left -= file.write(piece)
            file.flush()
            os.fsync(file.fileno())  # ③
        os.rename("unfinished", os.path.basename(header["filename"]))  # ④
        folder = os.open(".", os.O_RDONLY)
        os.fsync(folder)  # ⑤
        conn.sendall(b"stored\n")  # ⑥
