# wrong: there are expected to be as many threads as there are clients
# fails: thousand, too-many, rests-without-descriptors
# shows: ended
import os
import socket
import threading


def serve(conn):
    with conn:
        try:
            while piece := conn.recv(16384):
                conn.sendall(piece)
        except OSError:
            pass


listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(1024)
while True:
    conn, _ = listener.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
