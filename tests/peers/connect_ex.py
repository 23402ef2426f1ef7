"""A client that throws the result of connect_ex away, as the classic texts have it, and what it sees afterwards.

connect_ex.py client PORT TEXT   sends the text and receives, and prints the error of each
"""

import socket
import sys

conn = socket.socket()
conn.connect_ex(("127.0.0.1", int(sys.argv[2])))
for call in (lambda: conn.send(sys.argv[3].encode()), lambda: conn.recv(1024)):
    try:
        call()
    except OSError as error:
        print(error, flush=True)
