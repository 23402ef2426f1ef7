# check: 13 rests
# kind: spins
# The same with grandchildren, whose parent is gone.
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
    reader, writer = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            burn(0.25)
        os._exit(0)
    os.close(writer)
    os.wait()
    os.read(reader, 1)
    os.close(reader)
    time.sleep(0.01)
