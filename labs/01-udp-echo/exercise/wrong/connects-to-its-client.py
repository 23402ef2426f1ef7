# wrong: the socket is connected with a client, as a TCP socket would be: it takes nothing from the others any more
# fails: many-clients, client-gone
# shows: hangs, got nothing
# race: whether a client is gone before its answer comes
import os
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    data, client = sock.recvfrom(65_535)
    sock.connect(client)
    sock.send(data.upper())
