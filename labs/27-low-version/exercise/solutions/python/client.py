"""The client of the low version, repaired."""

import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
LONGEST = 1024 * 1024


def read_length(server):
    """Reads the line with the length of the answer that follows."""
    line = server.readline(100)
    if not line.endswith(b"\n") or not line[:-1].isdigit() or int(line) > LONGEST:
        sys.exit(f"this is no length: {line!r}")
    return int(line)


conn = socket.create_connection((HOST, PORT))
server = conn.makefile("rb")  # one buffer for lines and for bytes

for line in sys.stdin.buffer:
    command = line.rstrip(b"\n")
    if not command:
        continue
    conn.sendall(command + b"\n")
    length = read_length(server)
    conn.sendall(b"recv_ready\n")
    answer = server.read(length)
    if len(answer) < length:
        sys.exit(f"the server has gone after {len(answer)} of {length} bytes")
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
