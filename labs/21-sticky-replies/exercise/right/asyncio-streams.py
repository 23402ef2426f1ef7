# other: asyncio with streams, whose reader has the limit; the length, the text and each repetition are writes of their own
import asyncio
import os


async def serve(reader, writer):
    try:
        while True:
            line = await reader.readuntil(b"\n")
            number, space, text = line[:-1].partition(b" ")
            if not space or not number.isdigit() or int(number) > 1000:
                writer.write(b"2\n?\n")
            else:
                text += b"\n"
                writer.write(b"%d\n" % (len(text) * int(number)))
                for _ in range(int(number)):
                    writer.write(text)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, os.environ["HOST"], int(os.environ["PORT"]), limit=1024)
    await server.serve_forever()


asyncio.run(main())
