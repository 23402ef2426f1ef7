# wrong: one recv is taken for one message
# fails: split-anywhere, byte-by-byte, two-in-one, large-message, late-reader, length-too-large, length-highest-bit,
# fails: second-waits, fin-in-a-frame
# shows: wrong
import os
import socket
import struct

listener = socket.socket()
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    try:
        while True:
            data = conn.recv(1024)
            if not data:
                break
            text = data[4:].upper()
            conn.sendall(struct.pack("!I", len(text)) + text)
    except OSError:
        pass
    conn.close()
