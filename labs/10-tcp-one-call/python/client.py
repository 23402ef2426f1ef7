import socket

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect_ex(SERVER)  # ②
    conn.sendall(b"linhaifeng nb")  # ③
    print(conn.recv(1024).decode())  # ⑥
