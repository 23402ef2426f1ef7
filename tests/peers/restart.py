"""A server that is ended and started again as the classic texts have it: without SO_REUSEADDR.

restart.py server PORT         serves one client after the other for ever; prints `ready` when it listens
restart.py client PORT TEXT... sends each text, prints the answer, and leaves
restart.py parent PORT         listens with SO_REUSEADDR, starts a child that inherits the socket, as Python did before
                               3.4; prints `ready`, then the child's process id, and ends
"""

import socket
import subprocess
import sys


def serve(port):
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    print("ready", flush=True)
    while True:
        conn, _ = listener.accept()
        while True:
            message = conn.recv(1024)
            if len(message) == 0:
                break
            print(message, flush=True)
            conn.send(message.upper())
        conn.close()


def call(port, texts):
    client = socket.socket()
    client.connect_ex(("127.0.0.1", port))
    for text in texts:
        client.send(text.encode())
        print(client.recv(1024), flush=True)
    client.close()


def leave_a_child(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(5)
    listener.set_inheritable(True)
    nowhere = subprocess.DEVNULL
    child = subprocess.Popen(["sleep", "60"], close_fds=False, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    child.returncode = 0  # it is left on purpose
    print("ready", child.pid, sep="\n", flush=True)


if sys.argv[1] == "server":
    serve(int(sys.argv[2]))
elif sys.argv[1] == "client":
    call(int(sys.argv[2]), sys.argv[3:])
else:
    leave_a_child(int(sys.argv[2]))
