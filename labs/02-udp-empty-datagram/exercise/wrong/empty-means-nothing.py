# wrong: recvfrom that returns 0 bytes is taken to say that nothing has come
# fails: empty
# shows: hangs, got nothing, all read
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, _, flags, client = sock.recvmsg(16)
    if not data:
        continue
    if flags & socket.MSG_TRUNC:
        sock.sendto(b"truncated " + data, client)
    else:
        sock.sendto(b"whole %d %s" % (len(data), data), client)
