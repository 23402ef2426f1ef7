"""What Python's struct does with numbers, as the old texts try it, and headers of all kinds over a connection.

struct_pack.py script         evaluates expressions, and prints what comes of each
struct_pack.py server PORT    sends five headers to one client; prints `ready` when it listens
struct_pack.py client PORT    reads headers of four bytes, each in four ways
"""

import socket
import struct
import sys

EXPRESSIONS = [
    'struct.pack("i", 183346)',
    r'struct.unpack("i", b"2\xcc\x02\x00")',
    "len(183346)",
    'struct.pack("i", 1111111111111)',
    'struct.pack("q", 1111111111111)',
    'struct.unpack("i", b"")',
    r'struct.unpack("i", b"\x06")',
    r'struct.unpack("i", b"\x06\x00\x00")',
    r'struct.unpack("i", b"\x06\x00\x00\x00\x06")',
    '[struct.calcsize(format) for format in ("i", "q", "l", "<l")]',
    "socket.socket().recv(-5)",
]


def script():
    for expression in EXPRESSIONS:
        try:
            print(f">>> {expression}\n{eval(expression)}")
        except Exception as error:
            kind = type(error)
            module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
            print(f">>> {expression}\n{module}{kind.__name__}: {error}")


def serve(port):
    listener = socket.create_server(("127.0.0.1", port))
    print("ready", flush=True)
    conn, _ = listener.accept()
    for kind, number in [("<i", 6), ("!i", 6), ("<i", 183346), (">i", 183346), ("<I", 4294967291)]:
        conn.send(struct.pack(kind, number))
    conn.close()


def read(port):
    conn = socket.create_connection(("127.0.0.1", port))
    while header := conn.recv(4, socket.MSG_WAITALL):
        ways = [f"'{way}' {struct.unpack(way, header)[0]}" for way in ("<i", ">i", "<I", ">I")]
        print(f"{header.hex(' ')}: {', '.join(ways)}")


if sys.argv[1] == "script":
    script()
elif sys.argv[1] == "server":
    serve(int(sys.argv[2]))
else:
    read(int(sys.argv[2]))
