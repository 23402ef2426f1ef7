# other: a thread for each client, makefile() for both ways, and text that is decoded and encoded again
import os
import socket
import threading


def serve(conn):
    with conn, conn.makefile("rb") as requests, conn.makefile("wb") as answers:
        try:
            while (line := requests.readline(1025)).endswith(b"\n"):
                number, space, text = line.decode().removesuffix("\n").partition(" ")
                try:
                    times = int(number)
                    body = (text + "\n") * times if space and 0 <= times <= 1000 else "?\n"
                except ValueError:
                    body = "?\n"
                body = body.encode()
                print("an answer of", len(body))
                answers.write(f"{len(body)}\n".encode())
                answers.write(body)
                answers.flush()
        except OSError as error:
            print("left without a goodbye:", error)


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    threading.Thread(target=serve, args=(conn,)).start()
