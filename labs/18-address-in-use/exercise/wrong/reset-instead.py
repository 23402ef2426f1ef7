# wrong: a reset is taken for the cure of TIME-WAIT
# fails: fin-not-reset
# shows: got "RST"
import os
import socket
import struct

listener = socket.socket()
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        line = b""
        while not line.endswith(b"\n") and (piece := conn.recv(1024)):
            line += piece
        conn.sendall(line.upper())
    except OSError:
        pass
    conn.close()
