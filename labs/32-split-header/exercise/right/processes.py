# other: socketserver, a process for each client, and MSG_WAITALL instead of a loop
import os
import socket
import socketserver


class Talk(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            while len(header := self.request.recv(4, socket.MSG_WAITALL)) == 4:
                length = int.from_bytes(header, "big")
                if length > 65_536:
                    return
                text = self.request.recv(length, socket.MSG_WAITALL) if length else b""
                if len(text) < length:
                    return
                self.request.sendall(header + text.upper())
        except OSError as error:
            print("left without a goodbye:", error)


socketserver.ForkingTCPServer.allow_reuse_address = True
socketserver.ForkingTCPServer.request_queue_size = 20
with socketserver.ForkingTCPServer((os.environ["HOST"], int(os.environ["PORT"])), Talk) as server:
    server.serve_forever()
