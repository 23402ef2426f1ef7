# wrong: the server is taken to answer at last, if only we ask often enough
# fails: gives-up, late-answer, nobody-listens
# shows: wrong, got "1 lost"
import os
import socket
import sys
import time

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def ask(head, line):
    while True:
        sock.sendto(head + line, server)
        deadline = time.monotonic() + 0.2
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                data, sender = sock.recvfrom(65_535)
            except TimeoutError:
                break
            if sender == server and data.startswith(head):
                return data[len(head) :].decode()


for number, line in enumerate(sys.stdin.buffer, start=1):
    print(ask(b"%d " % number, line.rstrip(b"\n")))
