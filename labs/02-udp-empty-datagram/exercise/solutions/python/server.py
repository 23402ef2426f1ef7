"""Empty, whole or truncated: the flags of recvmsg tell."""

import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9003"))
KEPT = 16


def verdict(data, flags):
    if flags & socket.MSG_TRUNC:
        return b"truncated " + data
    if not data:
        return b"empty"
    return b"whole %d %s" % (len(data), data)


sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((HOST, PORT))

while True:
    data, _, flags, client = sock.recvmsg(KEPT)
    sock.sendto(verdict(data, flags), client)
