# other: asyncio with streams; the command and its newline are sent in two pieces
import asyncio
import os
import sys


async def main():
    reader, writer = await asyncio.open_connection(os.environ["HOST"], int(os.environ["PORT"]))
    for command in sys.stdin.read().split("\n"):
        if not command:
            continue
        writer.write(command.encode())
        await writer.drain()
        writer.write(b"\n")
        length = await reader.readuntil(b"\n")
        if not length[:-1].isdigit() or len(length) > 10 or int(length) > 1_048_576:
            sys.exit("this is no length")
        writer.write(b"recv_ready\n")
        sys.stdout.buffer.write(await reader.readexactly(int(length)))
    writer.close()


asyncio.run(main())
