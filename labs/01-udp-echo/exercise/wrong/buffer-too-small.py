# wrong: no datagram is taken to be longer than the buffer
# fails: large-datagram, largest-datagram
# shows: wrong, got less
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(1024)
    sock.sendto(data.upper(), client)
