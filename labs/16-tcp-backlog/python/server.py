import socket

SERVER = ("127.0.0.1", 8080)


def counted(name):
    """A counter of this host's TCP: the file has a line of names, and below it a line of numbers."""
    with open("/proc/self/net/netstat") as file:
        names, numbers = (line.split() for line in file if line.startswith("TcpExt:"))
    return int(numbers[names.index(name)])


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(SERVER)
    listener.listen(5)  # ①
    overflows, drops = counted("ListenOverflows"), counted("ListenDrops")
    input()  # Enter when the client has called
    overflows, drops = counted("ListenOverflows") - overflows, counted("ListenDrops") - drops
    print(f"ListenOverflows +{overflows}, ListenDrops +{drops}")  # ④
