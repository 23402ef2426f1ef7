import socket

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(SERVER)
    data, (host, port) = s.recvfrom(1024)  # ②
    print(f"{data} ({host}:{port})")
