# other: it says much on standard error, reads all lines before it connects, and reads the answers through a buffer
import os
import socket
import struct
import sys

lines = sys.stdin.buffer.read().splitlines()
with socket.create_connection((os.environ["HOST"], int(os.environ["PORT"]))) as conn:
    answers = conn.makefile("rb")
    for line in lines:
        conn.sendall(struct.pack("!I", len(line)) + line)
        print("asked:", line[:20], file=sys.stderr)
        header = answers.read(4)
        if len(header) < 4:
            sys.exit("the server has gone")
        (length,) = struct.unpack("!I", header)
        if length > 65_536:
            sys.exit("a length that cannot be believed")
        answer = answers.read(length)
        if len(answer) < length:
            sys.exit("the server has gone")
        print("answered:", answer[:20], file=sys.stderr)
        sys.stdout.buffer.write(answer + b"\n")
