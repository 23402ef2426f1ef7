# other: a thread reads with a time-out of 100 ms, and hands what comes over to another one, which answers
import codecs
import os
import queue
import socket
import threading


def read(conn, came):
    conn.settimeout(0.1)
    while True:
        try:
            piece = conn.recv(4096)
        except TimeoutError:
            continue
        except OSError:
            piece = b""
        came.put(piece)
        if not piece:
            return


def serve(conn):
    came, name = queue.Queue(), b""
    threading.Thread(target=read, args=(conn, came)).start()
    while len(name) < 8:
        piece = came.get()
        if not piece:
            return
        name += piece
    conn.sendall(name[:8])
    decoder, piece = codecs.getincrementaldecoder("utf-8")(), name[8:]
    try:
        while True:
            conn.sendall("".join(f"U+{ord(c):04X}\n" for c in decoder.decode(piece)).encode())
            piece = came.get()
            if not piece:
                break
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        conn.sendall(b"not UTF-8\n")


def serve_and_close(conn):
    try:
        serve(conn)
    except OSError:
        pass
    try:
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    conn.close()


listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, _ = listener.accept()
    threading.Thread(target=serve_and_close, args=(conn,)).start()
