# other: recv(1), always; a process for each client
import codecs
import os
import signal
import socket

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))


def serve(conn):
    name = b""
    while len(name) < 8:
        byte = conn.recv(1)
        if not byte:
            return
        name += byte
    conn.sendall(name)
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        while byte := conn.recv(1):
            for character in decoder.decode(byte):
                conn.sendall(f"U+{ord(character):04X}\n".encode())
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        conn.sendall(b"not UTF-8\n")


while True:
    conn, _ = listener.accept()
    if os.fork() == 0:
        try:
            serve(conn)
        except OSError:
            pass
        os._exit(0)
    conn.close()
