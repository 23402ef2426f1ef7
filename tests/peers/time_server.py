"""The UDP time server as the classic texts have it: a format up, the time in that format back; nothing for the default.

time_server.py server PORT           serves until it is ended; prints `ready` when it is bound
time_server.py client PORT FORMAT... sends each format, prints each answer
"""

import socket
import sys
import time

sock = socket.socket(type=socket.SOCK_DGRAM)
server = ("127.0.0.1", int(sys.argv[2]))
if sys.argv[1] == "server":
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(server)
    print("ready", flush=True)
    while True:
        message, sender = sock.recvfrom(1024)
        text = time.strftime(message.decode("utf-8") if message else "%Y-%m-%d %X")
        sock.sendto(text.encode("utf-8"), sender)
for text in sys.argv[3:]:
    sock.sendto(text.encode(), server)
    print(sock.recv(1024).decode(), flush=True)
