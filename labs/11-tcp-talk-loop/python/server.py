import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    conn, _client = listener.accept()
    with conn:
        try:
            while data := conn.recv(1024):  # ①
                print(f"from client msg is  {data}")
                conn.sendall(data.upper())
        except ConnectionResetError:
            pass
