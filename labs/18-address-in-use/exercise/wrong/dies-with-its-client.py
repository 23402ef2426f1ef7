# wrong: a client is expected to wait for its answer: no other end of a connection is thought of
# fails: leaver
# shows: ended, exit nonzero
# race: whether the RST meets a recv or a send
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
while True:
    conn, client = listener.accept()
    line = b""
    while not line.endswith(b"\n") and (piece := conn.recv(1024)):
        line += piece
    conn.sendall(line.upper())
    conn.close()
