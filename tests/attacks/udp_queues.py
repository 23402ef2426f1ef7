# expect: ended=Killed(SIGKILL) limit=SocketMemory left=any
# teeth: limits
# fenced: escapes
"""Lets 160 MiB of datagrams wait in sockets of 4 processes, which no limit of a process counts."""
import os, select, socket, struct

SO_MEMINFO = 55


def fill(wanted):
    sender = socket.socket(type=socket.SOCK_DGRAM)
    held, receivers = 0, []
    while held < wanted and len(receivers) < 240:
        receiver = socket.socket(type=socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", 0))
        receivers.append(receiver)
        for _ in range(12):
            sender.sendto(bytes(30000), receiver.getsockname())
        held += struct.unpack("9I", receiver.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[0]
    return held, receivers


reader, writer = os.pipe()
for _ in range(4):
    if os.fork() == 0:
        held, receivers = fill(40 << 20)
        os.write(writer, struct.pack("Q", held))
        select.select([], [], [], 30)
        os._exit(0)
total = sum(struct.unpack("Q", os.read(reader, 8))[0] for _ in range(4))
# Who looks after it has time to look.
select.select([], [], [], 1)
print("escaped:" if total > 128 << 20 else "held", total >> 20, "MiB", flush=True)
