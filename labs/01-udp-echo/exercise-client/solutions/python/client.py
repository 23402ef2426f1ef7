"""A UDP client that asks again."""

import os
import socket
import sys
import time

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9000"))
TRIES = 3
WAITS = 0.2

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((HOST, PORT))  # the kernel keeps strangers away


def receive(head, deadline):
    """The text of the answer that begins with `head`; None when the time is over."""
    while (left := deadline - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data = sock.recv(65_535)
        except TimeoutError:
            break
        except ConnectionRefusedError:
            continue  # nobody listens: that is silence, too
        if data.startswith(head):
            return data[len(head) :]
    return None


def ask(number, line):
    head = b"%d " % number
    for _ in range(TRIES):
        deadline = time.monotonic() + WAITS
        try:
            sock.send(head + line)
        except ConnectionRefusedError:
            pass  # told of an earlier datagram; this one is not sent, and the next try is
        answer = receive(head, deadline)
        if answer is not None:
            return answer
    return b"no answer"


for number, line in enumerate(sys.stdin.buffer, start=1):
    sys.stdout.buffer.write(ask(number, line.removesuffix(b"\n")) + b"\n")
    sys.stdout.flush()
