import socket

SERVER = ("127.0.0.1", 9003)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.sendto(b"hello", SERVER)  # ①
    s.sendto(b"world", SERVER)
    s.sendto(b"egon", SERVER)
    print("client has sent its messages")
