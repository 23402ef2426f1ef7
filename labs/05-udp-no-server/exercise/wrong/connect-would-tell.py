# wrong: connect and send are taken to tell that nobody is there, as they do for TCP
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
