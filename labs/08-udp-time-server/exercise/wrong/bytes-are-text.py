# wrong: what comes is taken to be text in UTF-8
# fails: not-text
# shows: ended
import os
import socket
import time

FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))

while True:
    data, client = sock.recvfrom(1024)
    question = data.decode() or FORMATS[0]
    text = time.strftime(question, time.gmtime()) if question in FORMATS else ""
    sock.sendto(text.encode(), client)
