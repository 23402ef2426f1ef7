# other: asyncio; the kernel's word comes by error_received
import asyncio
import os
import sys


class Client(asyncio.DatagramProtocol):
    def __init__(self):
        self.answer = None

    def settle(self, how, what):
        if self.answer and not self.answer.done():
            how(self.answer, what)

    def datagram_received(self, data, server):
        self.settle(asyncio.Future.set_result, data)

    def error_received(self, error):
        self.settle(asyncio.Future.set_exception, error)


async def main():
    loop = asyncio.get_running_loop()
    server = (os.environ["HOST"], int(os.environ["PORT"]))
    transport, client = await loop.create_datagram_endpoint(Client, remote_addr=server)
    code = 0
    for line in sys.stdin.read().splitlines():
        client.answer = loop.create_future()
        transport.sendto(line.encode())
        try:
            print((await asyncio.wait_for(client.answer, 0.5)).decode())
        except asyncio.TimeoutError:
            print("no answer")
            code = 2
        except ConnectionRefusedError:
            print("nobody there")
            return 1
    return code


sys.exit(asyncio.run(main()))
