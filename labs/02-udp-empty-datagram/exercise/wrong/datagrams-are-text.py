# wrong: datagrams are taken for text in UTF-8, which can be cut anywhere
# fails: any-bytes
# shows: expected "whole 2"
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, _, flags, client = sock.recvmsg(16)
    text = data.decode()
    if flags & socket.MSG_TRUNC:
        answer = f"truncated {text}"
    elif text:
        answer = f"whole {len(data)} {text}"
    else:
        answer = "empty"
    sock.sendto(answer.encode(), client)
