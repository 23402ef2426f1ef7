"""Messages with numbers over UDP, as lab 09 has them: "2.1 text" up (number, attempt), "2.1 " back.

udp_numbered.py server PORT         answers every second datagram only; prints each message once; `ready` when it is bound
udp_numbered.py client PORT TEXT... sends each text, and again until its number is answered; prints each attempt
"""

import socket
import sys

sock = socket.socket(type=socket.SOCK_DGRAM)
server = ("127.0.0.1", int(sys.argv[2]))
if sys.argv[1] == "server":
    sock.bind(server)
    print("ready", flush=True)
    known = set()
    for count in range(sys.maxsize):
        message, sender = sock.recvfrom(1024)
        if message[:1] not in known:
            known.add(message[:1])
            print(message[4:].decode(), flush=True)
        if count % 2:
            sock.sendto(message[:4], sender)
sock.settimeout(0.2)
for number, text in enumerate(sys.argv[3:], 1):
    for attempt in range(1, 6):
        sock.sendto(f"{number}.{attempt} {text}".encode(), server)
        print(f"{number}.{attempt}", flush=True)
        try:
            if sock.recv(4)[:1] == str(number).encode():
                break
        except TimeoutError:
            pass
