# wrong: each client is given a socket of its own, as accept does it for TCP
# fails: same-port
# shows: wrong, what "another port"
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(65_535)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.sendto(data.upper(), client)
