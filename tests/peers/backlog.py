"""Callers of a server that has called listen(5), and such servers.

backlog.py server PORT           does not accept; leaves when six wait, or when its input ends
backlog.py hall PORT             accepts 200, greets each, and prints how many there are; `ready` when it listens
backlog.py client PORT COUNT     calls so often, prints how many get in, and of the last what it sees within half a second
backlog.py guests PORT COUNT     calls so often, and prints how many are greeted while all of them stay
"""

import socket
import struct
import sys


def listen(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    print("ready", flush=True)
    return listener


def waiting(listener):
    """How many wait for accept: `tcpi_unacked` of a listener."""
    return struct.unpack_from("I", listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 24)[0]


def serve(port):
    listener = listen(port)
    while waiting(listener) < 6:
        pass
    print(waiting(listener), "wait", flush=True)
    sys.stdin.read()
    print(waiting(listener), "wait", flush=True)


def greet(port):
    listener = listen(port)
    links = []
    for _ in range(200):
        conn, _ = listener.accept()
        conn.send(b"welcome")
        links.append(conn)
    print(len(links), "links", flush=True)


def call(port, count):
    kept = []
    for number in range(count):
        conn = socket.socket()
        conn.settimeout(0.5)
        try:
            conn.connect(("127.0.0.1", port))
        except OSError as error:
            print(number, "connected;", type(error).__name__, flush=True)
            return
        kept.append(conn)
    print(len(kept), "connected", flush=True)


def visit(port, count):
    kept = []
    for _ in range(count):
        conn = socket.create_connection(("127.0.0.1", port))
        kept.append((conn, conn.recv(1024)))
    print(sum(greeting == b"welcome" for _, greeting in kept), "greeted", flush=True)


port = int(sys.argv[2])
if sys.argv[1] == "server":
    serve(port)
elif sys.argv[1] == "hall":
    greet(port)
elif sys.argv[1] == "client":
    call(port, int(sys.argv[3]))
else:
    visit(port, int(sys.argv[3]))
