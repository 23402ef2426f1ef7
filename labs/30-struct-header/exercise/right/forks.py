# other: socketserver, a process for each client, which prints a lot
import os
import socketserver
import struct


class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        print("somebody is there", self.client_address, "." * 5000)
        try:
            while len(header := self.rfile.read(4)) == 4:
                (length,) = struct.unpack("!I", header)
                if length > 65_536 or len(text := self.rfile.read(length)) < length:
                    return
                self.wfile.write(header + text.upper())
        except OSError as error:
            print("left without a goodbye:", error)


socketserver.ForkingTCPServer.allow_reuse_address = True
with socketserver.ForkingTCPServer((os.environ["HOST"], int(os.environ["PORT"])), Talk) as server:
    server.serve_forever()
