import socket

SERVER = ("127.0.0.1", 8082)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(SERVER)
    while True:
        data, client = s.recvfrom(1024)  # ②
        s.sendto(data.upper(), client)  # ③
