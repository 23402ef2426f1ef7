import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)  # ①
    while True:
        line = input(">>> ")
        conn.send(line.encode())
        if line == "q":
            break  # ③
        data = conn.recv(1024)
        print(data.decode())
