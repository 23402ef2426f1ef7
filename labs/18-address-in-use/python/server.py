import socket

SERVER = ("127.0.0.1", 8081)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    conn, client = listener.accept()
    with conn:
        while True:
            data = conn.recv(1024)
            print(data)
            conn.send(data.upper())
