import socket

SERVER = ("127.0.0.1", 9003)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for number in b"12345":
        s.sendto(bytes([number]) * 5000, SERVER)  # ②
    input("[press Enter when the server has read what it can get] ")
    s.sendto(b"6" * 5000, SERVER)
