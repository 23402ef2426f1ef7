import socket

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)  # ①
    conn, (host, _port) = listener.accept()  # ④
    with conn:
        print(f"call from {host}")
        data = conn.recv(1024)
        print(data)
        conn.sendall(data.upper())
    # The end of a with block closes its socket: first conn ⑤, then the listener.
