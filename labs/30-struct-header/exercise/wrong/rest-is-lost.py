# wrong: a client is expected to wait for an answer before it goes on
# fails: two-in-one, late-reader
# shows: hangs, got less
import os
import socket
import struct


def serve(conn):
    while True:
        data = b""
        while len(data) < 4 or len(data) < 4 + struct.unpack("!I", data[:4])[0]:
            piece = conn.recv(65_536)
            if not piece:
                return
            data += piece
            if len(data) >= 4 and struct.unpack("!I", data[:4])[0] > 65_536:
                return
        (length,) = struct.unpack("!I", data[:4])
        conn.sendall(data[:4] + data[4 : 4 + length].upper())


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        serve(conn)
    except OSError:
        pass
    conn.close()
