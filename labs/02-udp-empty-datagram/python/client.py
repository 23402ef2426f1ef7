import socket

SERVER = ("127.0.0.1", 9003)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    while True:
        line = input(">>: ")
        s.sendto(line.encode(), SERVER)  # ①
