# expect: ended=Killed(SIGKILL) limit=Sockets left=any
# teeth: limits
# fenced: escapes
"""Opens 2400 sockets in 10 processes: in each of them as many as it may."""
import os, select, socket

reader, writer = os.pipe()
for _ in range(10):
    if os.fork() == 0:
        held = [socket.socket() for _ in range(240)]
        os.write(writer, b"!")
        select.select([], [], [], 30)
        os._exit(0)
for _ in range(10):
    os.read(reader, 1)
# Who looks after it has time to look.
select.select([], [], [], 1)
print("escaped: 2400 sockets", flush=True)
