# check: 30 one-message
# kind: hangs
# It wakes up before it looks asleep for long, and goes on sleeping.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))

conn, _ = listener.accept()
while True:
    time.sleep(0.009)
