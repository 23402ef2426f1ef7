# wrong: somebody is expected to sit at the server's keyboard and to type the answers
# fails: one-client, next-client, rests, second-waits, five-wait, silent-client, hundred-clients, rude-client,
# fails: rude-reader, any-bytes, port-taken
# shows: got nothing, says "EOF"
import os
import socket

listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    conn, client = listener.accept()
    try:
        while data := conn.recv(1024):
            print("the client says:", data)
            conn.sendall(input("your answer: ").upper().encode())
    except OSError:
        pass
    conn.close()
