import socket

SERVER = ("127.0.0.1", 9000)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    try:
        while True:
            line = input("enter a time format (such as %Y %m %d)>>: ")
            s.sendto(line.strip().encode(), SERVER)
            print(f"current date: {s.recv(1024).decode()}")  # ③
    except EOFError:  # the user pressed Ctrl-D
        pass
