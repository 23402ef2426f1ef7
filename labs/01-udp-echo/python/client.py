import socket

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    while True:
        line = input(">>>:").strip()
        if not line:
            continue
        s.sendto(line.encode(), SERVER)  # ③
        data, (host, port) = s.recvfrom(1024)
        print(f"{data.decode()} ({host}:{port})")
