# other: a buffer for everything, non-blocking, and a look each millisecond
import os
import socket
import time

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("0.0.0.0", int(os.environ["PORT"])))
sock.setblocking(False)
while True:
    try:
        data, client = sock.recvfrom(65_535)
    except BlockingIOError:
        time.sleep(0.001)
        continue
    if not data:
        sock.sendto(b"empty", client)
    elif len(data) <= 16:
        sock.sendto(b"whole " + str(len(data)).encode() + b" " + data, client)
    else:
        sock.sendto(b"truncated " + data[:16], client)
