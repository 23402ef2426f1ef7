# wrong: an empty datagram is taken to ask for nothing
# fails: empty-datagram
# shows: hangs, got nothing
import os
import socket
import time

FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))

while True:
    data, client = sock.recvfrom(1024)
    if not data:
        continue
    question = data.decode(errors="replace")
    text = time.strftime(question, time.gmtime()) if question in FORMATS else ""
    sock.sendto(text.encode(), client)
