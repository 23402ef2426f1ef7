# check: 30 one-message
# kind: spins
# The same, and it ignores the ends of its children: the kernel forgets what they used.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))


def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
conn, _ = listener.accept()
while True:
    if os.fork() == 0:
        burn(0.03)
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
