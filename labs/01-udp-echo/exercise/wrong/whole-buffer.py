# wrong: the whole buffer is taken for the datagram, and not as many bytes as have come
# fails: nothing-behind, large-datagram, largest-datagram
# shows: wrong, got zeros
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    buffer = bytearray(1024)
    _, client = sock.recvfrom_into(buffer)
    sock.sendto(bytes(buffer).upper(), client)
