"""A friend in the chat of several terminals.

udp_chat.py friend PORT OWN_PORT TEXT  sends a text from its own port, prints what comes then
"""

import socket
import sys

sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(sys.argv[3])))
sock.sendto(sys.argv[4].encode(), ("127.0.0.1", int(sys.argv[2])))
print("sent", flush=True)
print(sock.recvfrom(1024)[0].decode(), flush=True)
