"""The struct header as the classic texts have it: four bytes of length, made by struct.pack('i', n), then the data.

struct_header.py server PORT         serves one client; prints `ready` when it listens
struct_header.py client PORT CMD...  sends each command, prints each answer
"""

import socket
import struct
import subprocess
import sys


def serve(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    print("ready", flush=True)
    conn, _ = listener.accept()
    while command := conn.recv(1024):
        done = subprocess.run(command.decode(), shell=True, capture_output=True)
        answer = done.stderr or done.stdout
        conn.send(struct.pack("i", len(answer)))
        conn.sendall(answer)


def ask(port, commands):
    conn = socket.create_connection(("127.0.0.1", port))
    for command in commands:
        conn.send(command.encode())
        (length,) = struct.unpack("i", conn.recv(4, socket.MSG_WAITALL))
        answer = b""
        while len(answer) < length:
            answer += conn.recv(min(1024, length - len(answer)))
        print(f"{length}:{answer.decode()}", flush=True)


if sys.argv[1] == "server":
    serve(int(sys.argv[2]))
else:
    ask(int(sys.argv[2]), sys.argv[3:])
