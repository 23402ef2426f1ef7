# wrong: the time limit is taken for a detail: it waits for longer than the task says
# fails: in-time
# shows: hangs, what "longer"
# race: its limit, and the moment at which it counts as too late
import os
import socket
import sys

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)
sock.settimeout(1.0)
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
