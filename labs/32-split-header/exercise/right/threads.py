# other: a thread for each client, which reads through a buffer; an answer in two sends; it prints much
import os
import socket
import threading


def serve(conn):
    with conn, conn.makefile("rb") as stream:
        try:
            while len(header := stream.read(4)) == 4:
                length = int.from_bytes(header, "big")
                if length > 65_536 or len(text := stream.read(length)) < length:
                    return
                print("a message of", length, "." * 2000)
                conn.sendall(header)
                conn.sendall(text.upper())
        except OSError as error:
            print("left without a goodbye:", error, flush=True)


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    threading.Thread(target=serve, args=(conn,)).start()
