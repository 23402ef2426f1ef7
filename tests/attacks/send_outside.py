# expect: ended=Exited(0) limit=None left=0
# fenced: escapes
# teeth: network
"""Sends a datagram to a program of this machine, and gets it back."""
import os, socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(1)
    try:
        sock.connect(("127.0.0.1", int(os.environ["UDP"])))
        sock.send(b"out")
        print("escaped:", sock.recv(10))
    except OSError as error:
        print(error)
