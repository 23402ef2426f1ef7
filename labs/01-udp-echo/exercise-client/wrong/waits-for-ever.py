# wrong: no datagram is taken to be lost: recv has no time limit
# fails: asks-again, in-time, gives-up, late-answer, rubbish-all-the-time, nobody-listens
# shows: hangs, in recv, got nothing
import os
import socket
import sys
import time

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def answer(head):
    while True:
        data, sender = sock.recvfrom(65_535)
        if sender == server and data.startswith(head):
            return data[len(head) :]


for number, line in enumerate(sys.stdin.buffer, start=1):
    head = b"%d " % number
    sock.sendto(head + line.rstrip(b"\n"), server)
    print(answer(head).decode())
