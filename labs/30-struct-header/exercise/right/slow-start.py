# other: half a second of work before it listens; writes to standard error; IPv4 on all addresses
import os
import socket
import struct
import sys
import time

until = time.process_time() + 0.4
while time.process_time() < until:
    pass
print("ready at last", file=sys.stderr)


def recv_exact(conn, n):
    if n == 0:
        return b""
    data = conn.recv(n, socket.MSG_WAITALL)
    if len(data) < n:
        raise EOFError
    return data


def serve(conn):
    while True:
        head = recv_exact(conn, 4)
        (length,) = struct.unpack("!I", head)
        if length > 65_536:
            return
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        text = recv_exact(conn, length)
        conn.sendall(head)
        conn.sendall(text.upper())
        print("served", length, file=sys.stderr)


listener = socket.create_server(("0.0.0.0", int(os.environ["PORT"])), backlog=0)
while True:
    conn, client = listener.accept()
    with conn:
        try:
            serve(conn)
        except (EOFError, OSError) as error:
            print(client, error, file=sys.stderr)
