import socket

SERVER = ("127.0.0.1", 9003)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(SERVER)
    while True:
        data, _ = s.recvfrom(1024)  # ②
        print(data)
