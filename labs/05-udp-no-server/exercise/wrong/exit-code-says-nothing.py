# wrong: what is printed is taken to say all: the exit code does not tell how each line went
# fails: exit-codes
# shows: exit 0, expected "exit code"
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
    except ConnectionRefusedError:
        print("nobody there")
        sys.exit(0)
    except TimeoutError:
        print("no answer")
        code = 2
sys.exit(0)
