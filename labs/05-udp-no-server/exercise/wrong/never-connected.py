# wrong: every socket is taken to be told that nobody is there
# fails: nobody-there, server-goes-away, stranger
# shows: got "no answer"
import os
import socket
import sys

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.settimeout(0.5)
code = 0
for line in sys.stdin.buffer:
    try:
        sock.sendto(line.rstrip(b"\n"), server)
        print(sock.recv(1000).decode())
    except ConnectionRefusedError:
        print("nobody there")
        sys.exit(1)
    except TimeoutError:
        print("no answer")
        code = 2
sys.exit(code)
