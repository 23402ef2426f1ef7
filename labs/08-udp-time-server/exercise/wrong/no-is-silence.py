# wrong: who asks for what is not allowed is taken to want no answer
# fails: other-formats, nearly-a-format, zero-byte, longer-than-the-buffer, not-text
# shows: hangs, got nothing
import os
import socket
import time

FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))

while True:
    data, client = sock.recvfrom(1024)
    question = data.decode(errors="replace") or FORMATS[0]
    if question in FORMATS:
        sock.sendto(time.strftime(question, time.gmtime()).encode(), client)
