import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    try:
        conn.connect(SERVER)  # ①
    except OSError as error:
        print(error)  # ②
    else:
        while True:
            line = input(">>: ")
            conn.send(line.encode())
            data = conn.recv(1024)
            print("from server msg is ", data.decode())
