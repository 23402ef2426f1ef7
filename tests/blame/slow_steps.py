# check: 13 hundreds
# kind: limit
# It is right, and takes nearly a second for each step.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))

while True:
    conn, _ = listener.accept()
    while data := conn.recv(4096):
        time.sleep(0.9)
        conn.sendall(data.upper())
    conn.close()
