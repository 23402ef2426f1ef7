# check: 13 rests
# kind: spins
# The same with threads, each of which ends.
import os, signal, socket, threading, time
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))

def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass

conn, _ = listener.accept()
while data := conn.recv(4096):
    conn.sendall(data.upper())
conn.close()

while True:
    thread = threading.Thread(target=burn, args=(0.25,))
    thread.start()
    thread.join()
    time.sleep(0.01)
