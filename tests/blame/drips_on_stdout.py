# check: 30 one-message
# kind: hangs
# A byte of output now and then: it may have waited for somebody to read it.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))

conn, _ = listener.accept()
while True:
    time.sleep(0.004)
    os.write(1, b".")
