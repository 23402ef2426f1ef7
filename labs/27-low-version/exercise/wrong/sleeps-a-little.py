# wrong: what has come after a short sleep is taken for the whole answer
# fails: answer-in-two-pieces, answer-byte-by-byte, several-bytes-each
# shows: what "go on waiting"
import os
import socket
import sys
import time

LONGEST = 1024 * 1024


def read_length():
    line = b""
    while not line.endswith(b"\n"):
        line += conn.recv(1) or sys.exit("the server has gone")
    if not line[:-1].isdigit() or int(line) > LONGEST:
        sys.exit("this is no length")
    return int(line)


def read_answer(length):
    answer = conn.recv(length) or sys.exit("the server has gone")
    while len(answer) < length:
        time.sleep(0.3)
        try:
            answer += conn.recv(length - len(answer), socket.MSG_DONTWAIT) or sys.exit("the server has gone")
        except BlockingIOError:
            break  # nothing more comes
    return answer


conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin:
    command = line.rstrip("\n")
    if not command:
        continue
    conn.sendall(command.encode() + b"\n")
    length = read_length()
    conn.sendall(b"recv_ready\n")
    if length > 0:
        sys.stdout.buffer.write(read_answer(length))
