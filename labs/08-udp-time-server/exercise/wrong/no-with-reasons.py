# wrong: whoever asks wrongly is taken to need an explanation
# fails: other-formats, nearly-a-format, zero-byte, longer-than-the-buffer, not-text, no-amplifier
# shows: what "does not only say no"
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
        text = time.strftime(question, time.gmtime())
    else:
        text = "you may ask for: " + ", ".join(FORMATS)
    sock.sendto(text.encode(), client)
