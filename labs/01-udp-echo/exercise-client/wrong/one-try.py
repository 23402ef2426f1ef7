# wrong: one time limit is taken for the proof that nobody answers
# fails: asks-again, gives-up, late-answer, rubbish-all-the-time
# shows: ended, exit 0, got nothing
import os
import socket
import sys
import time

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)


def ask(head, line):
    deadline = time.monotonic() + 0.2
    try:
        sock.send(head + line)
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            data = sock.recv(65_535)
            if data.startswith(head):
                return data[len(head) :].decode()
    except OSError:
        pass
    return "no answer"


for number, line in enumerate(sys.stdin.buffer, start=1):
    print(ask(b"%d " % number, line.rstrip(b"\n")))
