"""Asks once, and prints what the kernel had to send again."""

import socket

SERVER = ("127.0.0.1", 9000)


def counted(name):
    """One of the kernel's counters: a line of names, then a line of numbers."""
    with open("/proc/self/net/netstat") as file:
        names, numbers = (line.split() for line in file if line.startswith("TcpExt:"))
    return numbers[names.index(name)]


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    conn.sendall(b"hello")  # ①
    print(conn.recv(1024).decode())
    timeouts, fast = counted("TCPTimeouts"), counted("TCPFastRetrans")
    print(f"the kernel counts {timeouts} sent again by a timer, {fast} by acknowledgements")
