# wrong: an answer of 0 bytes is taken for none
# fails: empty-answer
# shows: got "no answer"
import os
import socket
import sys

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)
sock.settimeout(0.5)
code = 0
for line in sys.stdin.buffer:
    answer = b""
    try:
        sock.send(line.rstrip(b"\n"))
        answer = sock.recv(1000)
    except ConnectionRefusedError:
        print("nobody there")
        sys.exit(1)
    except TimeoutError:
        pass
    if not answer:
        print("no answer")
        code = 2
    else:
        print(answer.decode())
sys.exit(code)
