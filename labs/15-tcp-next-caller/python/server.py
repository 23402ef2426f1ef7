import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)
    while True:
        conn, client = listener.accept()  # ⑤
        print(client)
        while True:
            try:
                data = conn.recv(1024)
                if not data:
                    break  # ④
                text = data.decode()
                print(text)
                conn.send(text.upper().encode())
            except:  # whatever it is, as in the old program
                break
        conn.close()
