# wrong: who is there is taken to answer: recv has no time limit
# fails: silence, after-silence, in-time
# shows: hangs, in recv, got nothing
import os
import socket
import sys

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)
for line in sys.stdin.buffer:
    try:
        sock.send(line.rstrip(b"\n"))
        print(sock.recv(1000).decode())
    except ConnectionRefusedError:
        print("nobody there")
        sys.exit(1)
