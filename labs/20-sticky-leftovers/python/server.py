import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    conn, client = listener.accept()
    with conn:
        first = conn.recv(2)  # ③
        second = conn.recv(10)  # ⑤
        print("----->", first.decode())
        print("----->", second.decode())
