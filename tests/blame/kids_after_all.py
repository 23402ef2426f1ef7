# check: 13 rests
# kind: spins
# When its client has left, its children go on using processor time, one after the other.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))


def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


conn, _ = listener.accept()
while data := conn.recv(4096):
    conn.sendall(data.upper())
conn.close()

while True:
    if os.fork() == 0:
        burn(0.25)
        os._exit(0)
    os.wait()
    time.sleep(0.01)
