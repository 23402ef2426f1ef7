import socket

SERVER = ("127.0.0.1", 8080)

conn = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
conn.connect(SERVER)
conn.sendall(b"a" * 4096)  # ①
conn.sendall(b"b" * 10_240)  # ②
conn.close()  # ③
print("closed")
