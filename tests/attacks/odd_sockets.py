# expect: ended=Exited(0) limit=None left=0
# teeth: seccomp
"""Opens sockets that have no business in a lesson on TCP and UDP."""
import os, socket

FAMILIES = {"AX25": 3, "IPX": 4, "X25": 9, "KEY": 15, "PACKET": 17, "RDS": 21, "CAN": 29, "TIPC": 30, "BLUETOOTH": 31,
            "ALG": 38, "VSOCK": 40, "KCM": 41, "QIPCRTR": 42, "SMC": 43, "XDP": 44}
ways = [(name, number, kind, 0) for name, number in FAMILIES.items() for kind in (1, 2, 3, 5)]
ways += [("NETLINK", 16, 3, protocol) for protocol in range(1, 22)]
INTERNET = {"MPTCP": 262, "UDP-Lite": 136, "SCTP": 132, "DCCP": 33, "ICMP": 1, "ICMPv6": 58, "SMC": 256, "L2TP": 115}
ways += [(name, family, kind, number) for name, number in INTERNET.items() for family in (2, 10) for kind in (1, 2, 5)]
# Types for which the kernel finds a protocol: SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP, SOCK_PACKET.
ways += [("type", family, kind, protocol) for family in (2, 10) for kind in (3, 4, 5, 6, 10) for protocol in (0, 1, 6, 17)]
for name, family, kind, protocol in ways:
    try:
        socket.socket(family, kind, protocol).close()
        print("escaped:", name, kind, protocol)
    except OSError as error:
        print(name, kind, protocol, error.strerror)
for family in range(2, 46):
    for kind in (1, 2, 5):
        try:
            for sock in socket.socketpair(family, kind):
                sock.close()
            print("escaped: a pair of family", family)
        except OSError as error:
            # Only of what this family has can a filter be what refuses it.
            if error.errno not in (1, 93):
                print("escaped: the kernel was asked for a pair of family", family, error.strerror)
# What a program goes by that can do with less, as Go's listeners can.
try:
    socket.socket(2, 1, 262)
except OSError as error:
    assert error.errno == 93, error
# getifaddrs(3) and Go ask through this one.
socket.socket(16, 3, 0).close()
for kind in (1, 2, 5):
    for sock in socket.socketpair(1, kind):
        sock.close()
for family in (2, 10):
    for kind, protocol in ((1, 0), (1, 6), (2, 0), (2, 17)):
        socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol).close()
