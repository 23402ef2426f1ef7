# wrong: one silence is taken for the proof that nobody will ever answer
# fails: after-silence
# shows: ended, got nothing
import os
import socket
import sys

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)
sock.settimeout(0.5)
for line in sys.stdin.buffer:
    try:
        sock.send(line.rstrip(b"\n"))
        print(sock.recv(1000).decode())
    except ConnectionRefusedError:
        print("nobody there")
        sys.exit(1)
    except TimeoutError:
        print("no answer")
        sys.exit(2)
