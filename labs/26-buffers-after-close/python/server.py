import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(SERVER)
    listener.listen(5)
    conn, client = listener.accept()
    with conn:
        input("[press Enter when the client has done its part] ")
        received = 0
        while data := conn.recv(2048):  # ④
            received += len(data)
        print("received", received)  # ⑤
