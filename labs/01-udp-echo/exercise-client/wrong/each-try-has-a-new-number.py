# wrong: the number is taken to count the datagrams, and not the lines
# fails: asks-again, gives-up, late-answer
# shows: wrong, got "2 hello"
import os
import socket
import sys
import time

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)

count = 0


def ask(line):
    global count
    for _ in range(3):
        count += 1
        head = b"%d " % count
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


for line in sys.stdin.buffer:
    print(ask(line.rstrip(b"\n")))
