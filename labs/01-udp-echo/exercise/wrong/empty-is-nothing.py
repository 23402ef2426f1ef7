# wrong: recvfrom that returns 0 bytes is taken to say that nothing has come
# fails: empty-datagram
# shows: hangs, got nothing, all read
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(65_535)
    if not data:
        continue
    sock.sendto(data.upper(), client)
