# wrong: one recv is taken for one answer
# fails: answer-in-two-pieces, answer-byte-by-byte, large-answer, several-bytes-each, server-leaves
# shows: what "too early, or too much"
import os
import socket
import sys

LONGEST = 1024 * 1024


def read_length():
    line = b""
    while not line.endswith(b"\n"):
        line += conn.recv(1) or sys.exit("the server has gone")
    if not line[:-1].isdigit() or int(line) > LONGEST:
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
    if length > 0:
        answer = conn.recv(1024) or sys.exit("the server has gone")
    sys.stdout.buffer.write(answer)
