# wrong: what has come after a short sleep is taken for the whole length
# fails: length-in-pieces
# shows: wrong
import os
import socket
import sys
import time

LONGEST = 1024 * 1024


def read_length():
    global came
    if b"\n" not in came:
        came += conn.recv(4096) or sys.exit("the server has gone")
    if b"\n" not in came:
        time.sleep(0.1)
        try:
            came += conn.recv(4096, socket.MSG_DONTWAIT) or sys.exit("the server has gone")
        except BlockingIOError:
            pass  # nothing more comes
    line, _, came = came.partition(b"\n")
    if not line.isdigit() or int(line) > LONGEST:
        sys.exit("this is no length")
    return int(line)


def read_answer(length):
    global came
    while len(came) < length:
        came += conn.recv(length - len(came)) or sys.exit("the server has gone")
    answer, came = came[:length], came[length:]
    return answer


came = b""
conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin:
    command = line.rstrip("\n")
    if not command:
        continue
    conn.sendall(command.encode() + b"\n")
    length = read_length()
    conn.sendall(b"recv_ready\n")
    sys.stdout.buffer.write(read_answer(length))
