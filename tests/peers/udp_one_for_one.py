"""Three sends and three receives as the classic texts have them: datagrams one way, and no answer.

udp_one_for_one.py server PORT         receives three, prints each; prints `ready` when it is bound
udp_one_for_one.py client PORT TEXT... sends each text
"""

import socket
import sys

sock = socket.socket(type=socket.SOCK_DGRAM)
server = ("127.0.0.1", int(sys.argv[2]))
if sys.argv[1] == "server":
    sock.bind(server)
    print("ready", flush=True)
    for _ in range(3):
        print(sock.recvfrom(1024)[0], flush=True)
for text in sys.argv[3:]:
    sock.sendto(text.encode(), server)
