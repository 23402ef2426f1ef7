"""The low version as the classic texts have it: a length as text, `recv_ready`, then the data.

low_version.py server PORT         serves one client; prints `ready` when it listens
low_version.py client PORT CMD...  sends each command, prints each answer
"""

import socket
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
        conn.send(str(len(answer)).encode())
        if conn.recv(1024) == b"recv_ready":
            conn.sendall(answer)


def ask(port, commands):
    conn = socket.create_connection(("127.0.0.1", port))
    for command in commands:
        conn.send(command.encode())
        length = int(conn.recv(1024))
        conn.send(b"recv_ready")
        answer = b""
        while len(answer) < length:
            answer += conn.recv(1024)
        print(f"{length}:{answer.decode()}", flush=True)


if sys.argv[1] == "server":
    serve(int(sys.argv[2]))
else:
    ask(int(sys.argv[2]), sys.argv[3:])
