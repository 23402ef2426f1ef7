# wrong: a server is expected to tell the truth
# fails: length-is-a-lie, only-digits
# shows: expected "exit code other than 0"
# starters: make it
import os
import socket
import sys


def read_length():
    line = b""
    while not line.endswith(b"\n"):
        line += conn.recv(1) or sys.exit("the server has gone")
    return int(line)


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin:
    command = line.rstrip("\n")
    if not command:
        continue
    conn.sendall(command.encode() + b"\n")
    length = read_length()
    conn.sendall(b"recv_ready\n")
    answer = b""
    while len(answer) < length:
        answer += conn.recv(min(1024, length - len(answer))) or sys.exit("the server has gone")
    sys.stdout.buffer.write(answer)
