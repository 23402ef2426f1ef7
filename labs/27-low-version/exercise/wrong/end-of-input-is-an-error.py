# wrong: the end of the input is not expected: it ends with an error
# fails: exit-code
# shows: exit nonzero, expected "exit code 0"
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
while True:
    command = input()
    if not command:
        continue
    conn.sendall(command.encode() + b"\n")
    length = read_length()
    conn.sendall(b"recv_ready\n")
    answer = b""
    while len(answer) < length:
        answer += conn.recv(min(1024, length - len(answer))) or sys.exit("the server has gone")
    sys.stdout.buffer.write(answer)
