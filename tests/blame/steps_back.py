# check: 30 one-message
# kind: spins
# One process holds one processor, and another one, which has to share it, waits to get it: it has said that all others go first.
import os, socket
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))

conn, _ = listener.accept()
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
if os.fork() == 0:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while True:
    pass
