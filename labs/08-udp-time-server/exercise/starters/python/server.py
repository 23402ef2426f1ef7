"""A time server with an allow-list. The task is in TASK.md."""

import os
import socket
import time

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9000"))
FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"]

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((HOST, PORT))

while True:
    data, client = sock.recvfrom(1024)
    # time.strftime(format, time.gmtime()) makes a text of the time. But first: may this be asked?
    sock.sendto(b"what time is it?", client)
