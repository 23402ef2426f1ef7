"""A client that notices that nobody is there."""

import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9003"))
ANSWERED, NOBODY, SILENCE = 0, 1, 2

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((HOST, PORT))  # from now on the kernel tells of refusals, and keeps strangers away
sock.settimeout(0.5)

code = ANSWERED
for line in sys.stdin.buffer:
    try:
        sock.send(line.removesuffix(b"\n"))
        print(sock.recv(1000).decode(), flush=True)
    except ConnectionRefusedError:
        print("nobody there")
        sys.exit(NOBODY)
    except TimeoutError:
        print("no answer", flush=True)
        code = SILENCE
sys.exit(code)
