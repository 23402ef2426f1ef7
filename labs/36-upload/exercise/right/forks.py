# other: a process for each client, MSG_WAITALL, fsync, and a lock that is a file
import fcntl
import hashlib
import json
import os
import socket
import socketserver

FOLDER = os.environ["FOLDER"]


class Refused(Exception):
    pass


class Talk(socketserver.BaseRequestHandler):
    def take(self, count):
        data = self.request.recv(count, socket.MSG_WAITALL) if count else b""
        if len(data) < count:
            raise ConnectionAbortedError("it left")
        return data

    def answer(self, **fields):
        text = json.dumps(fields)
        self.request.sendall(len(text).to_bytes(4, "big") + text.encode("ascii"))

    def header(self):
        length = int.from_bytes(self.take(4), "big")
        if length > 65_536:
            return None
        try:
            header = json.loads(self.take(length))
            if not isinstance(header["filename"], str) or header["cmd"] not in ("put", "get"):
                return None
            if header["cmd"] == "put":
                size = header["filesize"]
                if isinstance(size, bool) or not isinstance(size, int) or not isinstance(header["sha256"], str):
                    return None
                return header if 0 <= size <= 1_048_576 else None
            return header
        except (ValueError, KeyError, TypeError):
            return None

    def name(self, name):
        if name == "" or name[0] == "." or any(c in "/\0" for c in name) or len(os.fsencode(name)) > 255:
            raise Refused("this name is not allowed")
        return name

    def put(self, header):
        data = self.take(header["filesize"])
        name = self.name(header["filename"])
        if hashlib.sha256(data).hexdigest() != header["sha256"]:
            raise Refused("wrong digest")
        unfinished = f".{os.getpid()}"
        with open(unfinished, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with open(".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.exists(name):
                os.remove(unfinished)
                raise Refused("taken")
            os.rename(unfinished, name)
        self.answer(ok=True)

    def get(self, header):
        try:
            with open(self.name(header["filename"]), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                self.answer(ok=True, filesize=size)
                self.request.sendfile(file)
        except FileNotFoundError:
            raise Refused("nothing") from None

    def handle(self):
        try:
            while header := self.header():
                try:
                    self.put(header) if header["cmd"] == "put" else self.get(header)
                except Refused as error:
                    self.answer(ok=False, error=str(error))
            self.answer(ok=False, error="no header")
        except OSError as error:
            print(self.client_address, error)


os.makedirs(FOLDER, exist_ok=True)
os.chdir(FOLDER)
socketserver.ForkingTCPServer.allow_reuse_address = True
with socketserver.ForkingTCPServer((os.environ["HOST"], int(os.environ["PORT"])), Talk) as server:
    server.serve_forever()
