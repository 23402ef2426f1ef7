# wrong: only the server is taken to know our port, so that nobody looks at the sender
# fails: stranger
# shows: got "A STRANGER"
import os
import socket
import sys
import time

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def ask(head, line):
    for _ in range(3):
        sock.sendto(head + line, server)
        deadline = time.monotonic() + 0.2
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                data, sender = sock.recvfrom(65_535)
            except TimeoutError:
                break
            if data.startswith(head):
                return data[len(head) :].decode()
    return "no answer"


for number, line in enumerate(sys.stdin.buffer, start=1):
    print(ask(b"%d " % number, line.rstrip(b"\n")))
