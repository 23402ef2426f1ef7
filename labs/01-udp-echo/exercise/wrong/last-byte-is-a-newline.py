# wrong: the last byte is taken for a newline, and left out
# fails: all-of-it, white-space
# shows: wrong, got less
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(65_535)
    sock.sendto(data[:-1].upper(), client)
