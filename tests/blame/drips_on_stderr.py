# check: 30 one-message
# kind: hangs
# The same on standard error.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))

conn, _ = listener.accept()
while True:
    time.sleep(0.004)
    os.write(2, b".")
