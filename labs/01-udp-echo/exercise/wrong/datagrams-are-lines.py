# wrong: a datagram is taken for a line, at whose ends white space says nothing
# fails: white-space
# shows: wrong, got "0 bytes"
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(65_535)
    sock.sendto(data.strip().upper(), client)
