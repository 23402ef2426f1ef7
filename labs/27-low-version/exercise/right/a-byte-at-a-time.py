# other: reads one byte at a time, and asks select before each
import os
import select
import socket
import sys

conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))


def byte():
    select.select([conn], [], [])
    got = conn.recv(1)
    if not got:
        sys.exit("the server has left")
    return got


for command in sys.stdin.buffer.read().split(b"\n"):
    if not command:
        continue
    conn.sendall(command + b"\n")
    digits = b""
    while (got := byte()) != b"\n" and len(digits) < 8:
        digits += got
    if not digits.isdigit() or int(digits) > 1_048_576:
        sys.exit("that is no length")
    conn.sendall(b"recv_ready\n")
    answer = bytearray()
    for _ in range(int(digits)):
        answer += byte()
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()
