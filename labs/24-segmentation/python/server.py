import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    conn, client = listener.accept()
    with conn:
        while data := conn.recv(4096):  # ⑥
            pass
