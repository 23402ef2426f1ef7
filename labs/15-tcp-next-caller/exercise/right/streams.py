# other: asyncio with streams
import asyncio
import os


async def talk(reader, writer):
    try:
        while data := await reader.read(65_536):
            writer.write(data.upper())
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(talk, os.environ["HOST"], int(os.environ["PORT"]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
