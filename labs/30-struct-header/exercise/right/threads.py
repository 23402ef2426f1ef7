# other: a thread for each client, read by makefile(); a message is answered in two sends
import os
import socket
import struct
import threading


def serve(conn):
    with conn, conn.makefile("rb") as stream:
        try:
            while len(header := stream.read(4)) == 4:
                (length,) = struct.unpack("!I", header)
                if length > 65_536 or len(text := stream.read(length)) < length:
                    return
                conn.sendall(header)
                conn.sendall(text.upper())
        except OSError as error:
            print("left without a goodbye:", error)


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    threading.Thread(target=serve, args=(conn,)).start()
