# wrong: one recv is taken for one answer
# fails: header-in-pieces, answer-in-pieces, byte-by-byte, large, length-too-large, length-highest-bit,
# fails: server-leaves
# shows: what "too early"
import os
import socket
import struct
import sys

conn = socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])))
for line in sys.stdin:
    text = line.rstrip("\n").encode()
    conn.sendall(struct.pack("!I", len(text)) + text)
    print(conn.recv(1024)[4:].decode())
