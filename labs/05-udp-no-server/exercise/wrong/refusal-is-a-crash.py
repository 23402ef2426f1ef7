# wrong: a connected socket is taken never to fail: it ends with an error where nobody is there
# fails: nobody-there, server-goes-away
# shows: ended, exit nonzero, got nothing
import os
import socket
import sys

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)
sock.settimeout(0.5)
code = 0
for line in sys.stdin.buffer:
    try:
        sock.send(line.rstrip(b"\n"))
        print(sock.recv(1000).decode())
    except TimeoutError:
        print("no answer")
        code = 2
sys.exit(code)
