# other: asyncio with streams; it reads a line and answers it in two pieces
import asyncio
import os


async def talk(reader, writer):
    try:
        line = await reader.readline()
        writer.write(line[:1].upper())
        await writer.drain()
        writer.write(line[1:].upper())
        await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(talk, os.environ["HOST"], int(os.environ["PORT"]))
    await server.serve_forever()


asyncio.run(main())
