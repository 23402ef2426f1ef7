# check: 30 one-message
# kind: spins
# Each child uses a little processor time, and ends; no process uses much.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))


def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


conn, _ = listener.accept()
while True:
    if os.fork() == 0:
        burn(0.2)
        os._exit(0)
    os.wait()
