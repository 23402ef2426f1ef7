# wrong: what cannot be decoded is expected to be unimportant
# fails: not-text
# shows: wrong, what "bytes that are no text"

import os
import socket
import time

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9000"))
FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"]
NO = b""

ALLOWED = {text: text for text in FORMATS}
ALLOWED[""] = FORMATS[0]


def answer(question):
    question = question.decode(errors="ignore")
    if question not in ALLOWED:
        return NO
    return time.strftime(ALLOWED[question], time.gmtime()).encode()


sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((HOST, PORT))

while True:
    # Larger than any format: a question that is cut to this size is none of them.
    question, client = sock.recvfrom(1024)
    sock.sendto(answer(question), client)
