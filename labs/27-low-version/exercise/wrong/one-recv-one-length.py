# wrong: one recv is taken for one length
# fails: length-in-pieces, hasty-server
# shows: wrong
# starters: make it
import os
import socket
import sys

LONGEST = 1024 * 1024


def read_length():
    line = conn.recv(1024)
    if not line.removesuffix(b"\n").isdigit() or int(line) > LONGEST:
        sys.exit("this is no length")
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
