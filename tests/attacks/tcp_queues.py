# expect: ended=Killed(SIGKILL) limit=SocketMemory left=any
# teeth: limits
# fenced: escapes
"""Lets 160 MiB wait in connections of 4 processes, both ways, which no limit of a process counts."""
import os, select, socket, struct

SO_MEMINFO = 55


def held_by(connection):
    numbers = struct.unpack("9I", connection.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))
    return numbers[0] + numbers[5]


def fill(wanted):
    listener = socket.socket()
    port = int(os.environ["PORT"])
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 400000)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    held, connections = 0, []
    while held < wanted and len(connections) < 240:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 400000)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
        one.connect(("127.0.0.1", port))
        other, _ = listener.accept()
        for end in one, other:
            end.setblocking(False)
            connections.append(end)
            try:
                while True:
                    end.send(bytes(65536))
            except BlockingIOError:
                pass
        held += held_by(one) + held_by(other)
    return held, connections


reader, writer = os.pipe()
total = 0
for _ in range(4):
    child = os.fork()
    if child == 0:
        held, connections = fill(40 << 20)
        os.write(writer, struct.pack("Q", held))
        select.select([], [], [], 30)
        os._exit(0)
    # One after the other: they listen on one port.
    total += struct.unpack("Q", os.read(reader, 8))[0]
# Who looks after it has time to look.
select.select([], [], [], 1)
print("escaped:" if total > 128 << 20 else "held", total >> 20, "MiB", flush=True)
