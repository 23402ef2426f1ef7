# other: socketserver, a process for each client, and MSG_WAITALL instead of a loop
import hashlib
import json
import os
import socket
import socketserver


class Talk(socketserver.BaseRequestHandler):
    def take(self, count):
        data = self.request.recv(count, socket.MSG_WAITALL) if count else b""
        if len(data) < count:
            raise ConnectionAbortedError("it left")
        return data

    def answer(self, fields):
        text = json.dumps(fields)
        self.request.sendall(len(text).to_bytes(4, "big") + text.encode("ascii"))

    def header(self):
        length = int.from_bytes(self.take(4), "big")
        if length > 1024:
            return None
        try:
            header = json.loads(self.take(length))
        except ValueError:
            return None
        fits = isinstance(header, dict) and "size" in header and str(header["size"]).isdigit()
        fits = fits and not isinstance(header["size"], str) and header["size"] <= 65_536
        return header if fits else None

    def handle(self):
        try:
            while header := self.header():
                body = self.take(header["size"])
                if hashlib.sha256(body).hexdigest() == header["sha256"]:
                    self.answer({"status": "ok", "name": header["name"], "size": len(body)})
                else:
                    self.answer({"status": "error", "code": "digest"})
            self.answer({"status": "error", "code": "header"})
        except OSError as error:
            print(self.client_address, error)


socketserver.ForkingTCPServer.allow_reuse_address = True
with socketserver.ForkingTCPServer((os.environ["HOST"], int(os.environ["PORT"])), Talk) as server:
    server.serve_forever()
