import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    conn, client = listener.accept()
    with conn:
        data = conn.recv(1024)
        conn.send(data.upper())
