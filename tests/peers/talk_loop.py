"""The talk loop as the classic texts have it: a line up, the same in capitals back.

talk_loop.py server PORT         serves one client; prints `ready` when it listens
talk_loop.py client PORT TEXT... sends each text, receives as many bytes as it sent, prints them
"""

import socket
import sys


def serve(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    print("ready", flush=True)
    conn, _ = listener.accept()
    while message := conn.recv(1024):
        conn.send(message.upper())


def talk(port, texts):
    conn = socket.create_connection(("127.0.0.1", port))
    for text in texts:
        conn.send(text.encode())
        answer = b""
        while len(answer) < len(text.encode()):
            answer += conn.recv(1024)
        print(answer.decode(), flush=True)


if sys.argv[1] == "server":
    serve(int(sys.argv[2]))
else:
    talk(int(sys.argv[2]), sys.argv[3:])
