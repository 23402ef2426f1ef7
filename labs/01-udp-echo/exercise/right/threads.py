# other: four threads receive from the same socket, which is bound to all addresses of both families
import os
import socket
import threading

sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
sock.bind(("::", int(os.environ["PORT"])))


def serve():
    while True:
        data, client = sock.recvfrom(65_535)
        sock.sendto(data.upper(), client)


for _ in range(4):
    threading.Thread(target=serve).start()
