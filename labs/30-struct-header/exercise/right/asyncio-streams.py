# other: asyncio with streams; Nagle is off
import asyncio
import os
import struct


async def serve(reader, writer):
    try:
        while True:
            header = await reader.readexactly(4)
            (length,) = struct.unpack("!I", header)
            if length > 65_536:
                break
            text = await reader.readexactly(length)
            writer.write(header)
            writer.write(text.upper())
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, os.environ["HOST"], int(os.environ["PORT"]))
    await server.serve_forever()


asyncio.run(main())
