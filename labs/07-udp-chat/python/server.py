import socket

SERVER = ("127.0.0.1", 8081)
BLUE_ON_YELLOW, PLAIN = "\033[1;34;43m", "\033[0m"

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(SERVER)
    while True:
        data, client = s.recvfrom(1024)
        host, port = client
        print(f"a message from [{host}:{port}]: {BLUE_ON_YELLOW}{data.decode()}{PLAIN}")
        answer = input("your answer: ").strip()
        s.sendto(answer.encode(), client)
