import socket

SERVER = ("127.0.0.1", 8081)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    conn.send(b"is anybody there")
    data = conn.recv(1024)
    print(data)
