# wrong: whatever comes from the server next is taken for the answer
# fails: late-answer, answer-comes-twice, rubbish, rubbish-all-the-time
# shows: got "FIRST"
import os
import socket
import sys
import time

server = (os.environ["HOST"], int(os.environ["PORT"]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

sock.connect(server)
sock.settimeout(0.2)


def ask(request):
    for _ in range(3):
        try:
            sock.send(request)
            data = sock.recv(65_535).decode(errors="replace")
        except OSError:
            continue
        return data.partition(" ")[2]
    return "no answer"


for number, line in enumerate(sys.stdin.buffer, start=1):
    print(ask(b"%d %s" % (number, line.rstrip(b"\n"))))
