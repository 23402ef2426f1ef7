import socket

SERVER = ("127.0.0.1", 9998)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    while True:
        try:
            line = input(">>")
        except EOFError:
            break
        if not line:
            continue
        message = line.encode()
        conn.sendall(message)
        answer = b""
        while len(answer) < len(message):
            data = conn.recv(len(message) - len(answer))
            if not data:
                raise ConnectionError("the server has closed the connection")
            answer += data
        print(answer.decode())
