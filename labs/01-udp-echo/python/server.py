import socket

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:  # ①
    s.bind(SERVER)  # ②
    while True:
        data, (host, port) = s.recvfrom(1024)  # ④
        print(f"recv:  {data} ({host}:{port})")
        s.sendto(data.upper(), (host, port))  # ⑤
