"""A thread for each client, by the standard library."""

import socketserver

SERVER = ("127.0.0.1", 9998)


class Shout(socketserver.BaseRequestHandler):
    def handle(self):  # in the client's thread
        while message := self.request.recv(4096):  # ③
            self.request.sendall(message.upper())  # ④


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(SERVER, Shout) as server:
    server.serve_forever(poll_interval=None)  # ① ②
