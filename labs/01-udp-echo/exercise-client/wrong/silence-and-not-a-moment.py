# wrong: the time limit of recv is taken for that of the answer: it begins anew with each datagram
# fails: rubbish-all-the-time
# shows: what "as long as datagrams come"
# race: its limit, and our next datagram, which the machine may delay
import os
import socket
import sys
import time

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)

sock.settimeout(0.2)


def ask(head, line):
    for _ in range(3):
        try:
            sock.send(head + line)
            while True:
                data = sock.recv(65_535)
                if data.startswith(head):
                    return data[len(head) :].decode()
        except OSError:
            pass
    return "no answer"


for number, line in enumerate(sys.stdin.buffer, start=1):
    print(ask(b"%d " % number, line.rstrip(b"\n")))
