import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    conn.send(b"A")  # ①
    conn.send(b"B")  # ②
    conn.send(b"C")  # ③
    conn.recv(10)
