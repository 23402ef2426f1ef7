import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    conn.connect(SERVER)
    first = conn.send(b"a" * 4096)  # ①
    more = conn.send(b"b" * 10_240)  # ②
    print(f"sent {first} and {more}")  # ⑥
