import socket

SERVER = ("127.0.0.1", 8081)
FRIENDS = ["taibai", "Jedan", "Jack", "John"]
BLUE_ON_YELLOW, PLAIN = "\033[1;34;43m", "\033[0m"

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    while True:
        name = input("choose whom to talk to: ").strip()
        if name not in FRIENDS:
            print("there is nobody of this name")
            continue
        while True:
            line = input("type a message and Enter, or q to end this talk: ")
            message = f"发给{name}: {line.strip()}"  # ①
            if message == "q":
                break
            if not message:
                continue
            s.sendto(message.encode(), SERVER)
            data, (host, port) = s.recvfrom(1024)  # ④
            print(f"a message from [{host}:{port}]: {BLUE_ON_YELLOW}{data.decode()}{PLAIN}")
