# other: asyncio with streams, which wait in drain()
import asyncio
import os
import string

ALPHABET = string.ascii_lowercase.encode()


async def serve(reader, writer):
    try:
        count = int(await reader.readuntil(b"\n"))
        for at in range(0, count, 26 * 100):
            writer.write((ALPHABET * 100)[: count - at])
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, os.environ["HOST"], int(os.environ["PORT"]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
