# wrong: what has come before a time-out of recv is taken for the whole answer
# fails: answer-in-two-pieces
# shows: what "go on waiting"
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


def read_answer(length):
    answer = b""
    conn.settimeout(1.0)
    try:
        while len(answer) < length:
            answer += conn.recv(length - len(answer)) or sys.exit("the server has gone")
    except TimeoutError:
        pass  # nothing more comes
    conn.settimeout(None)
    return answer


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin:
    command = line.rstrip("\n")
    if not command:
        continue
    conn.sendall(command.encode() + b"\n")
    length = read_length()
    conn.sendall(b"recv_ready\n")
    sys.stdout.buffer.write(read_answer(length))
