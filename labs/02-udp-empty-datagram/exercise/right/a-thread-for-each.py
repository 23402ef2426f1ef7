# other: a thread answers each datagram, so that answers overtake each other; MSG_PEEK tells the length before
import os
import socket
import threading

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))


def answer(length, data, client):
    if length == 0:
        sock.sendto(b"empty", client)
    elif length <= 16:
        sock.sendto(b"whole %d " % length + data, client)
    else:
        sock.sendto(b"truncated " + data[:16], client)


while True:
    length = sock.recv_into(bytearray(65_535), 0, socket.MSG_PEEK | socket.MSG_TRUNC)
    data, client = sock.recvfrom(16)
    threading.Thread(target=answer, args=(length, data, client)).start()
