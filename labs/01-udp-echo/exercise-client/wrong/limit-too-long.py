# wrong: the time limit is taken for a detail: it waits for longer than the task says
# fails: in-time
# shows: hangs, what "longer"
# race: its limit, and the moment at which it counts as too late
import os
import socket
import sys
import time

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)


def ask(head, line):
    for _ in range(3):
        try:
            sock.send(head + line)
        except ConnectionRefusedError:
            pass
        deadline = time.monotonic() + 0.5
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                data = sock.recv(65_535)
            except TimeoutError:
                break
            except ConnectionRefusedError:
                continue
            if data.startswith(head):
                return data[len(head) :].decode()
    return "no answer"


for number, line in enumerate(sys.stdin.buffer, start=1):
    print(ask(b"%d " % number, line.rstrip(b"\n")))
