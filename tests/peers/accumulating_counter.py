"""The old texts' clients whose counter adds, after each recv, the length of all that has come so far.

accumulating_counter.py client PORT low CMD...    a length as text and recv_ready before each answer
accumulating_counter.py client PORT json CMD...   four bytes and a header in JSON before each answer

Prints how many bytes of each answer it takes, and what Python says of the first one that fails.
"""

import json
import socket
import struct
import sys


def announced(conn, version):
    if version == "low":
        length = int(conn.recv(1024).decode("utf-8"))
        conn.send(b"recv_ready")
        return length
    (length,) = struct.unpack("i", conn.recv(4))
    return json.loads(conn.recv(length).decode("utf-8"))["data_size"]


def ask(conn, version, command):
    conn.send(command.encode("utf-8"))
    length = announced(conn, version)
    recv_data, recv_size = b"", 0
    while recv_size < length:
        recv_data += conn.recv(1024)
        recv_size += len(recv_data)
    print(f"{len(recv_data)} of {length}")


_, _, port, version, *commands = sys.argv
with socket.create_connection(("127.0.0.1", int(port))) as conn:
    for command in commands:
        try:
            ask(conn, version, command)
        except ValueError as error:
            print(f"{type(error).__name__}: {error}")
            break
