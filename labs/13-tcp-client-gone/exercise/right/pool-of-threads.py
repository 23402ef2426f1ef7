# other: 79 threads that all wait in accept, as many as there may be; it prints what it hears
import os
import socket
import threading

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))


def serve():
    while True:
        conn, client = listener.accept()
        try:
            while data := conn.recv(1024):
                print("heard", data, flush=True)
                conn.sendall(data.upper())
        except OSError as error:
            print("gone:", error, flush=True)
        conn.close()


for _ in range(79):
    threading.Thread(target=serve).start()
