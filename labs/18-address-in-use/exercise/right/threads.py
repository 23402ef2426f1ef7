# other: socketserver with threads, whose handler reads with readline()
import os
import socketserver


class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline().upper())


socketserver.ThreadingTCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer((os.environ["HOST"], int(os.environ["PORT"])), Talk) as server:
    server.serve_forever()
