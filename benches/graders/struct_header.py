"""The checks of exercise 30 as other graders' users write them: for the comparison in benches/grading.rs.

Each takes the command of a program, starts it on a free port, and asserts.
"""

import contextlib
import os
import socket
import struct
import subprocess
import time

LONGEST = 65_536


def framed(text):
    return struct.pack("!I", len(text)) + text


@contextlib.contextmanager
def server(command):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = subprocess.Popen(command, env=os.environ | {"HOST": "127.0.0.1", "PORT": str(port)})
    try:
        until = time.monotonic() + 5
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < until, "nothing listens"
                time.sleep(0.005)
        yield lambda: socket.create_connection(("127.0.0.1", port), timeout=2)
    finally:
        program.kill()
        program.wait()


def expect(conn, wanted):
    got = b""
    while len(got) < len(wanted):
        piece = conn.recv(len(wanted) - len(got))
        assert piece, f"the end after {got!r}"
        got += piece
    assert got == wanted


def one_message(command):
    with server(command) as connect, connect() as conn:
        conn.sendall(framed(b"hello"))
        expect(conn, framed(b"HELLO"))


def several_messages(command):
    with server(command) as connect, connect() as conn:
        for text in (b"one", b"two", b"three", b"four"):
            conn.sendall(framed(text))
            expect(conn, framed(text.upper()))
        conn.shutdown(socket.SHUT_WR)
        assert conn.recv(1) == b""


def empty_message(command):
    with server(command) as connect, connect() as conn:
        conn.sendall(framed(b""))
        expect(conn, framed(b""))
        conn.sendall(framed(b"after"))
        expect(conn, framed(b"AFTER"))


def split_anywhere(command):
    with server(command) as connect, connect() as conn:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        frame = framed(b"hello")
        for cut in range(1, len(frame)):
            conn.sendall(frame[:cut])
            conn.sendall(frame[cut:])
            expect(conn, framed(b"HELLO"))


def byte_by_byte(command):
    with server(command) as connect, connect() as conn:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in framed(b"hello"):
            conn.sendall(bytes([byte]))
        expect(conn, framed(b"HELLO"))


def two_in_one(command):
    with server(command) as connect, connect() as conn:
        conn.sendall(framed(b"one") + framed(b"three"))
        expect(conn, framed(b"ONE") + framed(b"THREE"))


def large_message(command):
    with server(command) as connect, connect() as conn:
        conn.sendall(framed(b"x" * LONGEST))
        expect(conn, framed(b"X" * LONGEST))


def refuses(command, lengths):
    with server(command) as connect:
        for length in lengths:
            with connect() as liar:
                liar.sendall(struct.pack("!I", length))
                assert liar.recv(1) == b""
        serves_the_next(connect)


def length_too_large(command):
    refuses(command, [LONGEST + 1, 0x7FFF_FFFF])


def length_highest_bit(command):
    refuses(command, [0x8000_0000, 0xFFFF_FFFF])


def second_waits(command):
    with server(command) as connect, connect() as first:
        frame = framed(b"slow")
        first.sendall(frame[:6])
        with connect() as second:
            second.sendall(framed(b"me too"))
            first.sendall(frame[6:])
            expect(first, framed(b"SLOW"))
            first.close()
            expect(second, framed(b"ME TOO"))


def goodbye_in_a_frame(command):
    with server(command) as connect:
        frame = framed(b"hello")
        for cut in range(1, len(frame)):
            with connect() as leaver:
                leaver.sendall(frame[:cut])
                leaver.shutdown(socket.SHUT_WR)
                assert leaver.recv(1) == b""
        serves_the_next(connect)


def reset_in_a_frame(command):
    with server(command) as connect:
        frame = framed(b"hello")
        for cut in range(len(frame) + 1):
            leaver = connect()
            leaver.sendall(frame[:cut])
            leaver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            leaver.close()
        serves_the_next(connect)


def serves_the_next(connect):
    with connect() as conn:
        conn.sendall(framed(b"still there?"))
        expect(conn, framed(b"STILL THERE?"))


ALL = [
    one_message,
    several_messages,
    empty_message,
    split_anywhere,
    byte_by_byte,
    two_in_one,
    large_message,
    length_too_large,
    length_highest_bit,
    second_waits,
    goodbye_in_a_frame,
    reset_in_a_frame,
]
