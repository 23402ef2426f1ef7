# wrong: every text is taken for a format that may be asked for
# fails: other-formats, nearly-a-format, longer-than-the-buffer, no-amplifier
# shows: what "as if that were a format"
import os
import socket
import time

FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))

while True:
    data, client = sock.recvfrom(1024)
    try:
        text = time.strftime(data.decode() or FORMATS[0], time.gmtime()).encode()
    except ValueError:
        text = b""
    sock.sendto(text, client)
