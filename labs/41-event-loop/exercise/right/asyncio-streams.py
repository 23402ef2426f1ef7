# other: asyncio with streams of small buffers, which wait in drain()
import asyncio
import os


async def serve(reader, writer):
    writer.transport.set_write_buffer_limits(high=8192)
    try:
        while piece := await reader.read(8192):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    server = await asyncio.start_server(serve, os.environ["HOST"], int(os.environ["PORT"]), limit=8192, backlog=1024)
    async with server:
        await server.serve_forever()


asyncio.run(main())
