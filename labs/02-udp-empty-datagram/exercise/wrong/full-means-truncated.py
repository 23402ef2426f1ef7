# wrong: a full buffer is taken for the sign that there was more
# fails: exactly-full, many-in-the-queue
# shows: wrong, got "truncated"
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(16)
    if not data:
        answer = b"empty"
    elif len(data) == 16:
        answer = b"truncated " + data
    else:
        answer = b"whole %d %s" % (len(data), data)
    sock.sendto(answer, client)
