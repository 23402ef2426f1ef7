import socket
import struct

SERVER = ("127.0.0.1", 9003)
SO_RXQ_OVFL, SO_MEMINFO = 40, 55  # Linux: Python's socket has no names for them


def table():
    with open("/proc/net/udp") as lines:
        rows = [line.split() for line in lines]
    return next(row[-1] for row in rows if row[1].endswith(f":{SERVER[1]:04X}"))


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # ①
    print(f"room for {s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)} bytes, with the kernel's own data")
    s.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
    s.bind(SERVER)
    input("[press Enter when the client has sent five] ")
    data, *_ = s.recvmsg(65536)  # ③
    print(f"number {chr(data[0])}, {len(data)} bytes")
    try:
        s.recv(65536, socket.MSG_DONTWAIT)
    except BlockingIOError:
        print("nothing else is there")  # ④
    lost = struct.unpack("9I", s.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[8]  # ⑤
    print(f"lost: {lost} by SO_MEMINFO, {table()} by /proc/net/udp")
    input("[press Enter when the client has sent the sixth] ")
    data, [(_level, _type, before)], *_ = s.recvmsg(65536, 64)  # ⑥
    print(f"number {chr(data[0])}, {len(data)} bytes; lost before it: {struct.unpack('I', before)[0]}")
