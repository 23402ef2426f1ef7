"""What a web browser sends to a server that is no web server.

browser.py client PORT PIECE...        sends each piece, and waits 200 ms for an answer in between; hex:160301 is bytes
                                       (exit code 9: nobody listens)
"""

import socket
import sys

try:
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
except ConnectionRefusedError:
    sys.exit(9)
sock.settimeout(0.2)
for piece in sys.argv[3:]:
    try:
        sock.sendall(bytes.fromhex(piece[4:]) if piece.startswith("hex:") else piece.encode())
        sock.recv(16)
    except OSError:
        pass  # no answer in time, or the server has ended
