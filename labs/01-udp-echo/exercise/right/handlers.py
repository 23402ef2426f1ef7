# other: socketserver, a thread for each datagram
import os
import socketserver


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data.upper(), self.client_address)


socketserver.ThreadingUDPServer.max_packet_size = 65_535
with socketserver.ThreadingUDPServer((os.environ["HOST"], int(os.environ["PORT"])), Echo) as server:
    server.serve_forever()
