import multiprocessing
import socket

SERVER = ("127.0.0.1", 9998)


def talk(conn):
    while True:
        try:
            text = conn.recv(1024).decode()  # ④
            print(text)
            conn.send(text.upper().encode())
        except ConnectionRefusedError:  # recv has no such error here
            break


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(SERVER)
        listener.listen(5)
        while True:
            conn, client = listener.accept()  # ①
            multiprocessing.Process(target=talk, args=(conn,)).start()  # ②
