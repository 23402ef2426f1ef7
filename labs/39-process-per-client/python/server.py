import os
import socket

SERVER = ("127.0.0.1", 9998)


def answer(conn):
    try:
        while data := conn.recv(16384):
            conn.sendall(data.upper())
    except ConnectionResetError:
        pass


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    while True:
        conn, _client = listener.accept()
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:  # ③
                pass
        except ChildProcessError:
            pass
        if os.fork() == 0:
            listener.close()  # ①
            answer(conn)
            os._exit(0)
        conn.close()  # ②
