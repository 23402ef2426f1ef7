# wrong: what is left over of one client is kept for the next one
# fails: length-too-large, length-highest-bit, fin-in-a-frame, reset-in-a-frame
# shows: wrong, what "closed the connection instead of answering"
import os
import socket
import struct

LONGEST = 65_536
buffer = b""


def serve(conn):
    global buffer
    while data := conn.recv(4096):
        buffer += data
        while len(buffer) >= 4:
            (length,) = struct.unpack("!I", buffer[:4])
            if length > LONGEST:
                return
            if len(buffer) < 4 + length:
                break
            text, buffer = buffer[4 : 4 + length].upper(), buffer[4 + length :]
            conn.sendall(struct.pack("!I", length) + text)


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(50)
while True:
    conn, client = listener.accept()
    with conn:
        try:
            serve(conn)
        except OSError:
            pass
