# wrong: only a recv is expected to fail: what a send to a client that has gone does is not looked at
# fails: rude-reader
# shows: ended, exit nonzero
# race: whether the RST of a client comes before its answer is sent or after
import os
import socket

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    with conn:
        while True:
            try:
                data = conn.recv(4096)
            except OSError:
                break
            if not data:
                break
            conn.sendall(data.upper())
