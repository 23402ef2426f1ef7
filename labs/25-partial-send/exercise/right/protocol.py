# other: asyncio with a protocol, which is told when to pause and when to go on
import asyncio
import os
import socket

TEXT = b"abcdefghijklmnopqrstuvwxyz" * 40


class Sender(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.asked, self.left, self.at, self.paused = transport, b"", None, 0, False
        transport.set_write_buffer_limits(high=3000)

    def data_received(self, data):
        self.asked += data
        if self.left is None and b"\n" in self.asked:
            self.left = int(self.asked)
            self.go_on()

    def eof_received(self):
        return self.left is not None

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False
        self.go_on()

    def go_on(self):
        while self.left and not self.paused:
            piece = TEXT[self.at : self.at + min(self.left, 1000)]
            self.left -= len(piece)
            self.at = (self.at + len(piece)) % 26
            self.transport.write(piece)
        if not self.left:
            self.transport.close()


async def main():
    loop = asyncio.get_running_loop()
    listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])), backlog=5)
    server = await loop.create_server(Sender, sock=listener)
    await server.serve_forever()


asyncio.run(main())
