import socket

SERVER = ("127.0.0.1", 8080)


def receive_three(conn):
    data = b""
    while len(data) < 3:
        piece = conn.recv(3 - len(data))  # ⑤
        if not piece:
            return None
        data += piece
    return data


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    conn, client = listener.accept()
    with conn:
        while data := receive_three(conn):
            print(data.decode())
            conn.send(b"thanks")
