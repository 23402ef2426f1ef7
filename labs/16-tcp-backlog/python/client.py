import socket

SERVER = ("127.0.0.1", 8080)

kept = []
for _ in range(6):
    conn = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    conn.connect(SERVER)  # ②
    kept.append(conn)
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as last:
    try:
        last.connect(SERVER)  # ③
    except OSError as error:
        print(error)  # ⑥
