"""Kills one end of a transfer at a random byte, looks at what lies there, and repeats the transfer.

transfer_killed.py PORT SEED COUNT FOLDER PROGRAM...   PROGRAM is what stands before the name of a role

Every case has a server, a client and a proxy between them, which counts the bytes in both directions, and kills when so
many have passed. Prints a line for each thing that is wrong, and at the end what was done.
"""

import os
import random
import select
import socket
import subprocess
import sys
import threading

PORT, SEED, COUNT, FOLDER, PROGRAM = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:]
WORKERS = 4
NAME = "a file"
counts = {"killed": 0, "in time": 0, "resumed": 0}
lock = threading.Lock()


def role(name, port, *words, **more):
    command = [*PROGRAM, name, "--address", f"127.0.0.1:{port}", *words]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, **pipes, **more)


def connect(port):
    """To a server that has just been started: as soon as it listens."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            select.select([], [], [], 0.005)


def relay(client, server, most):
    """Passes bytes on, both ways, until so many have passed, or one end leaves. Gives whether it came to that, and
    whether the client had sent any."""
    passed, has_asked = 0, False
    while passed < most:
        for conn in select.select([client, server], [], [])[0]:
            other = client if conn is server else server
            piece = conn.recv(min(8192, most - passed))
            if not piece:
                return False, has_asked
            other.sendall(piece)
            passed += len(piece)
            has_asked |= conn is client
            if passed >= most:
                break
    return True, has_asked


def drain(conn):
    """Reads until the other end is done with this connection."""
    try:
        conn.shutdown(socket.SHUT_WR)
        while conn.recv(65536):
            pass
    except OSError:
        pass
    conn.close()


class Worker:
    def __init__(self, number):
        self.port, self.proxy = PORT + 2 * number, PORT + 2 * number + 1
        self.there, self.here = (os.path.join(FOLDER, f"{number}-{what}") for what in ("there", "here"))
        os.mkdir(self.there)
        os.mkdir(self.here)
        self.listener = socket.create_server(("127.0.0.1", self.proxy))
        self.server = None
        self.number = number

    def serve(self):
        if self.server is None or self.server.poll() is not None:
            self.server = role("server", self.port, "--dir", self.there)
        # The connection says that it listens; that nothing is asked on it is no event there.
        connect(self.port).close()

    def client(self, port, verb):
        return role("client", port, verb, NAME, cwd=self.here)

    def run(self):
        for case in range(self.number, COUNT, WORKERS):
            wrong = self.case(case)
            if wrong:
                print(f"case {case}: {wrong}", flush=True)
        self.server.kill()
        self.server.communicate()

    def case(self, case):
        chance = random.Random(f"{SEED} {case}")
        verb, victim = ("put", "get")[case // 2 % 2], ("client", "server")[case % 2]
        data = chance.randbytes(chance.choice((500, 20_000, 200_000)))
        source, target = (self.here, self.there) if verb == "put" else (self.there, self.here)
        for folder in (self.here, self.there):
            for name in os.listdir(folder):
                os.remove(os.path.join(folder, name))
        with open(os.path.join(source, NAME), "wb") as file:
            file.write(data)
        most = chance.randrange(len(data) + 350)
        self.serve()
        client = self.client(self.proxy, verb)
        near, _ = self.listener.accept()
        far = connect(self.port)

        reached, has_asked = relay(near, far, most)
        if reached:
            process = client if victim == "client" else self.server
            process.kill()
            process.wait()
        near.close()
        drain(far)
        said = client.communicate()[0].decode()
        what = f"{verb}, {victim} killed at {most} of {len(data)}"
        if reached and victim == "server":
            self.server.communicate()
            if client.returncode == 0 and not os.path.exists(os.path.join(target, NAME)):
                return f"{what}: nothing is there, and the client says {said!r}"
            if client.returncode != 0 and "not done: the" not in said:
                return f"{what}: the client says {said!r}"
        elif has_asked:
            # It has said what became of the request before it was done with the connection.
            heard = self.server.stdout.read1().decode()
            if not any(words in heard for words in (NAME, "the other end", "the connection")):
                return f"{what}: the server says {heard!r}"
        path = os.path.join(target, NAME)
        was_there = os.path.exists(path)
        if was_there and open(path, "rb").read() != data:
            return f"{what}: half a file"
        self.serve()
        again = self.client(self.port, verb)
        said = again.communicate()[0].decode()
        if again.returncode != 0 and not (verb == "get" and was_there and "already" in said):
            return f"{what}: not repeated: {said!r}"
        if not os.path.exists(path) or open(path, "rb").read() != data:
            return f"{what}: unequal when it is repeated: {said!r}"
        if os.listdir(target) != [NAME]:
            return f"{what}: left behind: {os.listdir(target)}"
        with lock:
            counts["killed"] += reached
            counts["in time"] += reached and not was_there
            counts["resumed"] += "from before" in said
        return None


workers = [Worker(number) for number in range(WORKERS)]
threads = [threading.Thread(target=worker.run) for worker in workers]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*(f"{what}: {count}" for what, count in counts.items()), sep=", ")
