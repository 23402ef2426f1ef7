# expect: ended=Exited(0) limit=None left=0
# teeth: seccomp
"""Opens sockets that have no business in a lesson on TCP and UDP."""
import os, socket

FAMILIES = {"AX25": 3, "IPX": 4, "X25": 9, "KEY": 15, "PACKET": 17, "RDS": 21, "CAN": 29, "TIPC": 30, "BLUETOOTH": 31,
            "ALG": 38, "VSOCK": 40, "KCM": 41, "QIPCRTR": 42, "SMC": 43, "XDP": 44}
ways = [(name, number, kind, 0) for name, number in FAMILIES.items() for kind in (1, 2, 3, 5)]
ways += [("NETLINK", 16, 3, protocol) for protocol in range(1, 22)]
ways += [("RAW", 2, 3, 1), ("RAW6", 10, 3, 58)]
for name, family, kind, protocol in ways:
    try:
        socket.socket(family, kind, protocol).close()
        print("escaped:", name, kind, protocol)
    except OSError as error:
        print(name, kind, protocol, error.strerror)
# getifaddrs(3) and Go ask through this one.
socket.socket(16, 3, 0).close()
