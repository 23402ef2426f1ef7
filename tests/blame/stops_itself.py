# check: 30 one-message
# kind: hangs
# It stops itself.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))

conn, _ = listener.accept()
os.kill(os.getpid(), signal.SIGSTOP)
