# wrong: less time than the task says is taken to be enough for an answer
# fails: in-time
# shows: what "has not waited"
# race: its limit, and our answer
import os
import socket
import sys

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)
sock.settimeout(0.05)
code = 0
for line in sys.stdin.buffer:
    try:
        sock.send(line.rstrip(b"\n"))
        print(sock.recv(1000).decode())
    except ConnectionRefusedError:
        print("nobody there")
        sys.exit(1)
    except TimeoutError:
        print("no answer")
        code = 2
sys.exit(code)
