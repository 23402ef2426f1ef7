"""The JSON header as the classic texts have it, and what disturbs it.

json_header.py client PORT COUNT   receives COUNT answers, each on a connection of its own, as the old clients do;
                                   prints what came of each
json_header.py once PORT COUNT     receives COUNT messages on one connection, each step with one recv; prints what came
                                   of each, and then throws the rest of a broken message away
json_header.py names PORT          serves one client: a header whose length is counted in characters
json_header.py cut PORT            serves one client: a message for each place at which it can be cut
"""

import json
import socket
import struct
import sys
import time

MESSAGE = struct.pack("i", 16) + b'{"data_size": 6}hello\n'


def listen(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    print("ready", flush=True)
    conn, _ = listener.accept()
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return conn


def receive(conn):
    (length,) = struct.unpack("i", conn.recv(4))
    size = json.loads(conn.recv(length))["data_size"]
    answer = b""
    while len(answer) < size:
        piece = conn.recv(1024)
        if not piece:
            return f"the server has gone after {len(answer)} of {size} bytes"
        answer += piece
    return answer


def ask(port, count):
    for _ in range(count):
        conn = socket.create_connection(("127.0.0.1", port))
        try:
            print(receive(conn), flush=True)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", flush=True)
        conn.close()


def once(port, count):
    conn = socket.create_connection(("127.0.0.1", port))
    for _ in range(count):
        have = 0
        try:
            four = conn.recv(4)
            have = len(four)
            (length,) = struct.unpack("i", four)
            header = conn.recv(length)
            have += len(header)
            size = json.loads(header)["data_size"]
            body = conn.recv(size, socket.MSG_WAITALL)
            have += len(body)
            print(body, flush=True)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", flush=True)
        conn.recv(len(MESSAGE) - have, socket.MSG_WAITALL)


def names(port):
    conn = listen(port)
    header = json.dumps({"name": "你好.txt", "size": 6}, ensure_ascii=False)
    conn.sendall(struct.pack("i", len(header)) + header.encode() + b"hello\n")


def cut(port):
    conn = listen(port)
    for place in range(1, 21):
        conn.sendall(MESSAGE[:place])
        time.sleep(0.01)
        conn.sendall(MESSAGE[place:])


mode, port, *rest = sys.argv[1:]
{"client": ask, "once": once, "names": names, "cut": cut}[mode](int(port), *map(int, rest))
