# wrong: that nobody is there is expected to show at once, or at any socket: only a connected one is told
# fails: nobody-there, server-goes-away
# shows: got "no answer"
import os
import socket
import sys

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.settimeout(0.5)
code = 0
try:
    sock.connect(server)
except OSError:
    print("nobody there")
    sys.exit(1)
for line in sys.stdin.buffer:
    sock.send(line.rstrip(b"\n"))
    try:
        print(sock.recv(1000).decode())
    except OSError:
        print("no answer")
        code = 2
sys.exit(code)
