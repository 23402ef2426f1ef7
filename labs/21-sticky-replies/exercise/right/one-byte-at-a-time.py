# other: recv(1), always, and a process for each client
import os
import signal
import socket

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))


def line(conn):
    came = bytearray()
    while len(came) <= 1024:
        byte = conn.recv(1)
        if byte == b"\n":
            return bytes(came)
        if not byte:
            break
        came += byte
    raise EOFError


def serve(conn):
    while True:
        match line(conn).split(b" ", 1):
            case [number, text] if number.isdigit() and int(number) <= 1000:
                body = b"%b\n" % text * int(number)
            case _:
                body = b"?\n"
        conn.sendall(b"%d\n" % len(body))
        conn.sendall(body)


while True:
    conn, _ = listener.accept()
    if os.fork() == 0:
        listener.close()
        try:
            serve(conn)
        except (EOFError, OSError):
            pass
        os._exit(0)
    conn.close()
