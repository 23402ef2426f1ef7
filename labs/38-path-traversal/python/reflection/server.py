"""The homework by classes, as far as it chooses what to do: it calls whatever method a client names."""

import json
import socket
import struct


class MYTCPServer:
    def __init__(self, server_address):
        self.server_address = server_address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self.socket.bind(self.server_address)
            self.socket.listen(5)
        except Exception:
            self.socket.close()
            raise

    def run(self):
        while True:
            conn, _client = self.socket.accept()
            while True:
                try:
                    header = json.loads(conn.recv(struct.unpack("i", conn.recv(4))[0]))
                    print(header)
                    do(self, header)
                except Exception:
                    break

    def put(self, header):
        print("-----> file_upload/" + header["filename"])


def do(server, header):
    if hasattr(server, header["cmd"]):  # ①
        getattr(server, header["cmd"])(header)  # ②


MYTCPServer(("127.0.0.1", 9991)).run()
