# other: 79 threads that all wait in accept, as many as there may be; it prints what it hears
import os
import socket
import struct
import threading

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))


def serve():
    while True:
        conn, client = listener.accept()
        try:
            while len(header := conn.recv(4, socket.MSG_WAITALL)) == 4:
                (length,) = struct.unpack("!I", header)
                print("a message of", length, flush=True)
                if length > 65_536:
                    break
                text = conn.recv(length, socket.MSG_WAITALL) if length else b""
                if len(text) < length:
                    break
                conn.sendall(header + text.upper())
        except OSError as error:
            print("gone:", error, flush=True)
        conn.close()


for _ in range(79):
    threading.Thread(target=serve).start()
