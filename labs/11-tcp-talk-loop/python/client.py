import socket

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    try:
        while True:
            conn.send(input(">>: ").encode())
            print("Client message has been sent")
            data = conn.recv(1024)  # ②
            print(f"from server msg is  {data.decode(errors='replace')}")
    except EOFError:  # the user pressed Ctrl-D
        pass
