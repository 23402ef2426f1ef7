# check: 13 hundreds
# kind: limit
# It is right, and uses nearly a second of processor time for each step.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))


def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


while True:
    conn, _ = listener.accept()
    while data := conn.recv(4096):
        burn(0.6)
        conn.sendall(data.upper())
    conn.close()
