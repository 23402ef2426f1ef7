# other: one thread and a selector; recv takes whatever there is, and what belongs to no whole request is kept
import hashlib
import json
import os
import selectors
import socket

FOLDER = os.environ["FOLDER"]
selector = selectors.DefaultSelector()


class Client:
    def __init__(self, conn):
        self.conn, self.came, self.to_send, self.leaves = conn, bytearray(), bytearray(), False

    def say(self, **fields):
        text = json.dumps(fields).encode()
        self.to_send += len(text).to_bytes(4, "big") + text

    def understood(self, text):
        try:
            header = json.loads(text)
        except ValueError:
            return None
        if type(header) is not dict or type(header.get("filename")) is not str:
            return None
        if header.get("cmd") == "get":
            return {**header, "filesize": 0}
        size = header.get("filesize")
        fits = header.get("cmd") == "put" and type(size) is int and type(header.get("sha256")) is str
        return header if fits and 0 <= size <= 1_048_576 else None

    def take(self):
        """Takes one request out of what has come; says whether there was one."""
        if len(self.came) < 4:
            return False
        end = 4 + int.from_bytes(self.came[:4], "big")
        if end <= 4 + 65_536 and len(self.came) < end:
            return False
        header = self.understood(bytes(self.came[4:end])) if end <= 4 + 65_536 else None
        if header is None:
            self.say(ok=False, error="header")
            self.leaves = True
            return False
        if len(self.came) < end + header["filesize"]:
            return False
        file = bytes(self.came[end : end + header["filesize"]])
        del self.came[: end + header["filesize"]]
        self.act_on(header, file)
        return True

    def act_on(self, header, file):
        name = header["filename"]
        path = os.path.join(FOLDER, name)
        if name == "" or name.startswith(".") or "/" in name or "\0" in name or len(name.encode()) > 255:
            self.say(ok=False, error="name")
        elif header["cmd"] == "get":
            if not os.path.isfile(path):
                return self.say(ok=False, error="nothing")
            with open(path, "rb") as stream:
                file = stream.read()
            self.say(ok=True, filesize=len(file))
            self.to_send += file
        elif hashlib.sha256(file).hexdigest() != header["sha256"]:
            self.say(ok=False, error="digest")
        elif os.path.exists(path):
            self.say(ok=False, error="taken")
        else:
            with open(os.path.join(FOLDER, ".new"), "wb") as stream:
                stream.write(file)
            os.rename(os.path.join(FOLDER, ".new"), path)
            self.say(ok=True)

    def act(self, events):
        try:
            if events & selectors.EVENT_READ and not self.leaves:
                piece = self.conn.recv(100_000)
                self.came += piece
                while not self.leaves and self.take():
                    pass
                self.leaves = self.leaves or not piece
            if self.to_send:
                del self.to_send[: self.conn.send(self.to_send)]
        except BlockingIOError:
            pass
        except OSError:
            self.leaves = True
            self.to_send.clear()
        if self.leaves and not self.to_send:
            selector.unregister(self.conn)
            self.conn.close()
            return
        wanted = 0 if self.leaves else selectors.EVENT_READ
        selector.modify(self.conn, wanted | (selectors.EVENT_WRITE if self.to_send else 0), self)


os.makedirs(FOLDER, exist_ok=True)
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
listener.setblocking(False)
selector.register(listener, selectors.EVENT_READ, None)
while True:
    for key, events in selector.select():
        if key.data:
            key.data.act(events)
            continue
        conn, _ = listener.accept()
        conn.setblocking(False)
        selector.register(conn, selectors.EVENT_READ, Client(conn))
