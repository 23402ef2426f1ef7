# wrong: a second datagram is sent to hear of the first one's refusal, and nobody is taken to answer it
# fails: several-lines
# shows: what "0 bytes"
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
        sock.send(b"")
        sock.send(line.rstrip(b"\n"))
        print(sock.recv(1000).decode())
    except ConnectionRefusedError:
        print("nobody there")
        sys.exit(1)
    except TimeoutError:
        print("no answer")
        code = 2
sys.exit(code)
