import socket

SERVER = ("127.0.0.1", 8081)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:  # closed where the block ends
    conn.connect_ex(SERVER)  # lab 17 is about not looking at the result
    while True:
        line = input(">>: ")
        if not line:
            continue
        conn.send(line.encode())
        data = conn.recv(1024)
        print(data)
