"""The UDP echo as the classic texts have it: a datagram up, the same in capitals back.

udp_echo.py server PORT         serves until it is ended; prints `ready` when it is bound
udp_echo.py client PORT TEXT... sends each text, prints each answer
"""

import socket
import sys

sock = socket.socket(type=socket.SOCK_DGRAM)
server = ("127.0.0.1", int(sys.argv[2]))
if sys.argv[1] == "server":
    sock.bind(server)
    print("ready", flush=True)
    while True:
        message, sender = sock.recvfrom(1024)
        sock.sendto(message.upper(), sender)
for text in sys.argv[3:]:
    sock.sendto(text.encode(), server)
    print(sock.recvfrom(1024)[0].decode(), flush=True)
