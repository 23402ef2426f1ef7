# check: 13 rests
# kind: spins
# The same, and it ignores their ends.
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

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        burn(0.25)
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
    time.sleep(0.01)
