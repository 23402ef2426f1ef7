# check: 30 one-message
# kind: hangs
# Its child stops it, and itself.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))

conn, _ = listener.accept()
if os.fork() == 0:
    os.kill(os.getppid(), signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)
signal.pause()
