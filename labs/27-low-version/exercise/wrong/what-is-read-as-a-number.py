# wrong: what can be read as a number is taken for digits
# fails: only-digits
# shows: hangs, in recv, what "does not end"
import os
import socket
import sys

LONGEST = 1024 * 1024


def read_length():
    line = b""
    while not line.endswith(b"\n"):
        line += conn.recv(1) or sys.exit("the server has gone")
    length = int(line)
    if not 0 <= length <= LONGEST:
        sys.exit("this is no length")
    return length


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
