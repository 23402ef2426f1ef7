# wrong: a buffer that holds the longest format is taken to be large enough
# fails: longer-than-the-buffer
# shows: what "it tells the time"
import os
import socket
import time

FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))

LONGEST = max(len(format.encode()) for format in FORMATS)

while True:
    data, client = sock.recvfrom(LONGEST)
    question = data.decode(errors="replace") or FORMATS[0]
    text = time.strftime(question, time.gmtime()) if question in FORMATS else ""
    sock.sendto(text.encode(), client)
