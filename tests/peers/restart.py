"""A server that leaves a child behind, and with it its port.

restart.py parent PORT         listens with SO_REUSEADDR, starts a child that inherits the socket, as Python did before
                               3.4; prints `ready`, then the child's process id, and ends
"""

import socket
import subprocess
import sys

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[2])))
listener.listen(5)
listener.set_inheritable(True)
nowhere = subprocess.DEVNULL
child = subprocess.Popen(["sleep", "60"], close_fds=False, stdin=nowhere, stdout=nowhere, stderr=nowhere)
child.returncode = 0  # it is left on purpose
print("ready", child.pid, sep="\n", flush=True)
