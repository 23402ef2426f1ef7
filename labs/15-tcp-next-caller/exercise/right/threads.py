# other: socketserver, a thread for each client
import os
import socketserver


class Talk(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            while data := self.request.recv(4096):
                self.request.sendall(data.upper())
        except OSError as error:
            print("left without a goodbye:", error)


socketserver.ThreadingTCPServer.daemon_threads = True
with socketserver.ThreadingTCPServer((os.environ["HOST"], int(os.environ["PORT"])), Talk) as server:
    server.serve_forever()
