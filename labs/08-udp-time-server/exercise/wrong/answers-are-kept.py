# wrong: what was right once is taken to stay right
# fails: clock-goes-on
# shows: wrong
import os
import socket
import time

FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))

answers = {}

while True:
    data, client = sock.recvfrom(1024)
    question = data.decode(errors="replace") or FORMATS[0]
    if question not in answers:
        answers[question] = time.strftime(question, time.gmtime()).encode() if question in FORMATS else b""
    sock.sendto(answers[question], client)
