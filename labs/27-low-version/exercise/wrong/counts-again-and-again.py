# wrong: all that was received until now is added once more at each recv
# fails: answer-byte-by-byte, large-answer, several-bytes-each, server-leaves
# shows: ended, got nothing
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
    received = 0
    while received < length:
        answer += conn.recv(min(1024, length))
        received += len(answer)
    sys.stdout.buffer.write(answer)
