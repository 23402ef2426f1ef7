"""Sends each number that its user types as four bytes."""

import socket
import struct

SERVER = ("127.0.0.1", 8080)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(SERVER)
    listener.listen(5)
    conn, _client = listener.accept()
    with conn:
        while True:
            number = int(input("number: "))
            try:
                header = struct.pack("i", number)  # ①
            except struct.error:
                print("it does not fit in 4 bytes")  # ②
                continue
            print(header, len(header))
            conn.sendall(header)
