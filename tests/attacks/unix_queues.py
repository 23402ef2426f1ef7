# expect: ended=Killed(SIGKILL) limit=SocketMemory left=any
# teeth: limits
# fenced: escapes
"""Lets 160 MiB wait in pairs of Unix sockets of 4 processes, which no limit of a process counts."""
import os, select, socket, struct

SO_MEMINFO = 55


def fill(wanted):
    held, pairs = 0, []
    while held < wanted and len(pairs) < 120:
        pair = socket.socketpair()
        pairs.append(pair)
        for end in pair:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
            end.setblocking(False)
            try:
                while True:
                    end.send(bytes(32768))
            except BlockingIOError:
                pass
            held += struct.unpack("9I", end.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[2]
    return held, pairs


reader, writer = os.pipe()
for _ in range(4):
    if os.fork() == 0:
        held, pairs = fill(40 << 20)
        os.write(writer, struct.pack("Q", held))
        select.select([], [], [], 30)
        os._exit(0)
total = sum(struct.unpack("Q", os.read(reader, 8))[0] for _ in range(4))
# Who looks after it has time to look.
select.select([], [], [], 1)
print("escaped:" if total > 128 << 20 else "held", total >> 20, "MiB", flush=True)
