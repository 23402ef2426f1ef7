# wrong: a connection is expected to end in another way than by a recv that gives nothing
# fails: several-messages, second-waits, fin-in-a-frame, rests, hundred-clients
# shows: spins
import os
import socket
import struct

LONGEST = 65_536


def recv_exact(conn, n):
    data = b""
    while len(data) < n:
        piece = conn.recv(min(65_536, n - len(data)))
        data += piece
    return data


def serve(conn):
    while True:
        (length,) = struct.unpack("!I", recv_exact(conn, 4))
        if length > LONGEST:
            return
        text = recv_exact(conn, length).upper()
        conn.sendall(struct.pack("!I", length) + text)


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
