# wrong: the end of a line is taken for a part of it
# fails: several-lines
# shows: what "the end of the line"
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
        sock.send(line)
        print(sock.recv(1000).decode())
    except ConnectionRefusedError:
        print("nobody there")
        sys.exit(1)
    except TimeoutError:
        print("no answer")
        code = 2
sys.exit(code)
