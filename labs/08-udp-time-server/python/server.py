import socket
import time

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(SERVER)
    while True:
        data, client = s.recvfrom(1024)  # ①
        print(f"===> {data}")
        now = time.strftime(data.decode() or "%Y-%m-%d %X")
        print(now)
        s.sendto(now.encode(), client)  # ②
