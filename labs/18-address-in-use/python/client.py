import socket

SERVER = ("127.0.0.1", 8081)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    while True:
        line = input(">>: ")
        if not line:
            continue
        conn.send(line.encode())
        print(conn.recv(1024))
