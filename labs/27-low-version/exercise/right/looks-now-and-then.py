# other: recv never waits; when there is nothing it sleeps for 10 ms, and keeps what has come
import os
import socket
import sys
import time


def recv(n):
    while True:
        try:
            return conn.recv(n, socket.MSG_DONTWAIT) or sys.exit("the server has gone")
        except BlockingIOError:
            time.sleep(0.01)


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for command in sys.stdin.buffer.read().split(b"\n"):
    if not command:
        continue
    conn.sendall(command + b"\n")
    line = b""
    while not line.endswith(b"\n"):
        line += recv(1)
    if not line[:-1].isdigit() or len(line) > 10 or int(line) > 1_048_576:
        sys.exit("this is no length")
    conn.sendall(b"recv_ready\n")
    missing = int(line)
    while missing > 0:
        piece = recv(missing)
        missing -= len(piece)
        sys.stdout.buffer.write(piece)
