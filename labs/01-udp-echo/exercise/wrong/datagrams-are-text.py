# wrong: datagrams are taken for text, and all letters for letters from a to z
# fails: any-bytes
# shows: wrong, expected "STRA"
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(65_535)
    sock.sendto(data.decode().upper().encode(), client)
