# expect: ended=Exited(0) limit=None left=0
# teeth: network landlock
"""Connects to a server of this machine, and to the world where there is none to be harmed."""
import os, socket

ways = [(socket.AF_INET, ("127.0.0.1", int(os.environ["LISTENER"]))), (socket.AF_UNIX, "\0" + os.environ["ABSTRACT"])]
if os.path.exists("/proc/net/route") and len(open("/proc/net/route").readlines()) == 1:
    ways += [(socket.AF_INET, ("192.0.2.1", 80)), (socket.AF_INET6, ("2001:db8::1", 80))]
for family, address in ways:
    try:
        with socket.socket(family) as sock:
            sock.settimeout(2)
            sock.connect(address)
            print("escaped:", address)
    except OSError as error:
        print(address, error)
