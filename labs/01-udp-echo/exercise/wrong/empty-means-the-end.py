# wrong: an empty datagram is taken for the end of a connection
# fails: empty-datagram
# shows: ended
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(65_535)
    if not data:
        break
    sock.sendto(data.upper(), client)
