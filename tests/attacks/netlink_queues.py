# expect: ended=Killed(SIGKILL) limit=SocketMemory left=any
# teeth: limits
# fenced: escapes
"""Asks the kernel again and again and reads no answer: 160 MiB wait in netlink sockets of 4 processes."""
import os, select, socket, struct

SO_MEMINFO = 55
RTM_GETLINK, NLM_F_REQUEST = 18, 1


def fill(wanted):
    # About interface 1, lo.
    question = struct.pack("IHHII", 32, RTM_GETLINK, NLM_F_REQUEST, 1, 0) + struct.pack("BxHiII", 0, 0, 1, 0, 0)
    held, asking = 0, []
    while held < wanted and len(asking) < 240:
        one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 400000)
        asking.append(one)
        before = -1
        now = 0
        while now > before:
            before = now
            for _ in range(16):
                one.send(question)
            now = struct.unpack("9I", one.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[0]
        held += now
    return held, asking


reader, writer = os.pipe()
for _ in range(4):
    if os.fork() == 0:
        held, asking = fill(40 << 20)
        os.write(writer, struct.pack("Q", held))
        select.select([], [], [], 30)
        os._exit(0)
total = sum(struct.unpack("Q", os.read(reader, 8))[0] for _ in range(4))
# Who looks after it has time to look.
select.select([], [], [], 1)
print("escaped:" if total > 128 << 20 else "held", total >> 20, "MiB", flush=True)
