# other: asyncio with streams
import asyncio
import os
import struct
import sys


async def main():
    reader, writer = await asyncio.open_connection(os.environ["HOST"], int(os.environ["PORT"]))
    for line in sys.stdin.buffer.read().split(b"\n")[:-1]:
        writer.write(struct.pack("!I", len(line)) + line)
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        if length > 65_536:
            sys.exit("a length that cannot be believed")
        sys.stdout.buffer.write(await reader.readexactly(length) + b"\n")
        sys.stdout.buffer.flush()
    writer.close()


asyncio.run(main())
