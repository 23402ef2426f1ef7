"""Peers of the transfer tool: the classic upload programs, and what a stranger may do to either end.

transfer.py classic PORT FILE...    the classic client: each file line by line, one behind the other, and no answers
transfer.py store PORT FOLDER       the classic server: stores what one client sends, and says nothing
transfer.py ask PORT WORDS...       for each of WORDS a connection on which it is sent; prints what was answered
transfer.py hold PORT WORDS...      sends each of WORDS on a connection of its own; the connections stay open until the
                                    last one was answered; prints what was answered to each
transfer.py race PORT WORDS...      for two words each a connection: all first words are answered before a second one
                                    is sent; prints what was answered
transfer.py say PORT WORDS          serves clients one after the other: reads a request, and sends WORDS
transfer.py change PORT PATH SIZE   serves one client, whose file gets this size before the second half of it is read
transfer.py cut PORT PATH SIZE      asks for a file, and changes its size before the second half of it is read

WORDS is a Python expression of bytes; `head` makes a header, and `request` is what was read.
"""

import hashlib
import json
import os
import socket
import struct
import sys

HERE = "127.0.0.1"


def head(**header):
    encoded = json.dumps(header).encode()
    return struct.pack("<i", len(encoded)) + encoded


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def put(name, body, **more):
    return head(cmd="put", filename=name, filesize=len(body), **more)


def exactly(conn, size):
    have = bytearray()
    while len(have) < size:
        piece = conn.recv(min(65536, size - len(have)))
        if not piece:
            raise EOFError(f"{len(have)} of {size}")
        have += piece
    return bytes(have)


def header(conn):
    (length,) = struct.unpack("<i", exactly(conn, 4))
    return json.loads(exactly(conn, length))


def answers(conn):
    """What comes until the end, as text."""
    found = []
    try:
        while True:
            answer = header(conn)
            found.append(json.dumps(answer, ensure_ascii=False))
            if "filesize" in answer:
                size = answer["filesize"] - answer.get("offset", 0)
                body = exactly(conn, size)
                found.append(repr(body) if size < 200 else f"{size} bytes, {hashlib.sha256(body).hexdigest()}")
    except EOFError as error:
        if str(error) != "0 of 4":
            found.append(f"the end after {error}")
    except ConnectionError as error:
        found.append(type(error).__name__)
    return " ".join(found)


def first_answer(conn):
    try:
        return json.dumps(header(conn))
    except (EOFError, ConnectionError):
        return None


def connect(port):
    return socket.create_connection((HERE, port))


def listen(port, room=None):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if room:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    listener.bind((HERE, port))
    listener.listen(5)
    print("ready", flush=True)
    return listener


def finish(conn):
    """Leaves without a reset: what still comes is read."""
    try:
        conn.shutdown(socket.SHUT_WR)
        while conn.recv(65536):
            pass
    except OSError:
        pass
    conn.close()


def classic(port, *paths):
    conn = connect(port)
    for path in paths:
        size = os.path.getsize(path)
        conn.send(head(cmd="put", filename=os.path.basename(path), filesize=size))
        with open(path, "rb") as file:
            for line in file:
                conn.sendall(line)
    conn.shutdown(socket.SHUT_WR)
    print(len(conn.recv(1)), "bytes of answers")


def store(port, folder):
    conn, _ = listen(port).accept()
    while four := conn.recv(4):
        request = json.loads(conn.recv(struct.unpack("<i", four)[0]))
        have, size = 0, request["filesize"]
        with open(os.path.join(folder, request["filename"]), "wb") as file:
            while have < size:
                piece = conn.recv(min(8192, size - have))
                file.write(piece)
                have += len(piece)
        print(request, flush=True)


def ask(port, *words):
    for one in words:
        conn = connect(port)
        try:
            conn.sendall(eval(one))
            conn.shutdown(socket.SHUT_WR)
        except OSError as error:
            print(type(error).__name__, end=" ")
        print(answers(conn), flush=True)


def hold(port, *words):
    conns = [connect(port) for _ in words]
    for conn, one in zip(conns, words):
        try:
            conn.sendall(eval(one))
        except ConnectionError:
            pass
    heard = [first_answer(conn) for conn in conns]
    for conn, first in zip(conns, heard):
        if first:
            conn.shutdown(socket.SHUT_WR)
        print(first or "sent away", answers(conn) if first else "", flush=True)


def race(port, *words):
    pairs = [(connect(port), first, second) for first, second in zip(words[::2], words[1::2])]
    heard = []
    for conn, first, _ in pairs:
        conn.sendall(eval(first))
        heard.append(json.dumps(header(conn)))
    for (conn, _, second), first in zip(pairs, heard):
        print(first, end=" ")
        try:
            conn.sendall(eval(second))
            conn.shutdown(socket.SHUT_WR)
        except OSError as error:
            print(type(error).__name__, end=" ")
        print(answers(conn), flush=True)


def say(port, words):
    listener = listen(port)
    while True:
        conn, _ = listener.accept()
        try:
            request = header(conn)
            conn.sendall(eval(words))
            finish(conn)
        except (OSError, EOFError):
            conn.close()


def change(port, path, size):
    conn, _ = listen(port, 1 << 18).accept()
    promised = header(conn)["filesize"]
    conn.sendall(head(ok=True, offset=0))
    conn.recv(1)
    os.truncate(path, int(size))
    try:
        exactly(conn, promised - 1)
        conn.sendall(head(ok=True, **header(conn)))
        print("all of it came", flush=True)
    except EOFError as error:
        print("the end after", "less" if str(error) else "", flush=True)
    finish(conn)


def cut(port, path, size):
    conn = socket.socket()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
    conn.connect((HERE, port))
    conn.sendall(head(cmd="get", filename=os.path.basename(path), digest="sha256"))
    promised = header(conn)["filesize"]
    os.truncate(path, int(size))
    try:
        exactly(conn, promised)
        print("all of it came, and", *header(conn), flush=True)
    except EOFError:
        print("the end before that", flush=True)


def main():
    modes = {f.__name__: f for f in (classic, store, ask, hold, race, say, change, cut)}
    modes[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])


main()
