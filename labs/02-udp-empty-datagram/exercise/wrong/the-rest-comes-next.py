# wrong: the rest of a datagram is taken to stay for the next receive, as that of a stream does
# fails: one-byte-more, much-more, many-in-the-queue
# shows: wrong, got "whole 16"
# race: whether the next datagram is in the queue already
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(16)
    rest = b""
    if len(data) == 16:
        try:
            rest = sock.recv(65_535, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
    if rest:
        answer = b"truncated " + data
    elif data:
        answer = b"whole %d %s" % (len(data), data)
    else:
        answer = b"empty"
    sock.sendto(answer, client)
