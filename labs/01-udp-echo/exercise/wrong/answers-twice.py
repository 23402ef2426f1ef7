# wrong: an answer is sent twice, in case one is lost
# fails: once
# shows: wrong, what "nobody asked for"
# race: the second answer, and the moment at which we look whether one comes
import os
import socket
import time

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(65_535)
    sock.sendto(data.upper(), client)
    time.sleep(0.05)
    sock.sendto(data.upper(), client)
