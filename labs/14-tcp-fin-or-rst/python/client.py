import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    while True:
        line = input(">>: ")
        try:
            conn.send(line.encode())  # ②
        except OSError as error:  # the old client ends with a traceback
            print(error)  # ⑤
            break
        print("Client message has been sent")
        data = conn.recv(1024)  # ④
        print("from server msg is ", data.decode())
