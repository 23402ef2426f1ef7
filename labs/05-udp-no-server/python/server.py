import socket

SERVER = ("127.0.0.1", 9003)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(SERVER)
    data, _ = s.recvfrom(1024)  # ③
    print(f'first time received  "{data.decode()}"')
    data, _ = s.recvfrom(1024)
    print(f'second time received  "{data.decode()}"')
    data, _ = s.recvfrom(1024)
    print(f'third time received  "{data.decode()}"')
    print("--------end----------")
