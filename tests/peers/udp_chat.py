"""The chat as the classic text has it: `发给NAME: TEXT` up, the answer as it was typed.

udp_chat.py server PORT                answers each message with itself and a question mark; prints `ready`
udp_chat.py client PORT NAME TEXT      sends one message, prints the answer
udp_chat.py friend PORT OWN_PORT TEXT  sends a text without a name from its own port, prints what comes then
"""

import socket
import sys

sock = socket.socket(type=socket.SOCK_DGRAM)
address = ("127.0.0.1", int(sys.argv[2]))
if sys.argv[1] == "server":
    sock.bind(address)
    print("ready", flush=True)
    while True:
        message, sender = sock.recvfrom(1024)
        sock.sendto(message + b"?", sender)
elif sys.argv[1] == "client":
    sock.sendto(f"发给{sys.argv[3]}: {sys.argv[4]}".encode(), address)
else:
    sock.bind(("127.0.0.1", int(sys.argv[3])))
    sock.sendto(sys.argv[4].encode(), address)
    print("sent", flush=True)
print(sock.recvfrom(1024)[0].decode(), flush=True)
