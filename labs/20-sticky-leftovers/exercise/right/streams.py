# other: asyncio with streams, and a decoder of its own that looks at one byte after the other
import asyncio
import os


def characters(buffer):
    """Whole characters at the beginning, and the rest; ValueError where no character can come of it."""
    found = []
    while buffer:
        first = buffer[0]
        need = 1 if first < 0x80 else 2 if first >> 5 == 6 else 3 if first >> 4 == 14 else 4 if first >> 3 == 30 else 0
        if need == 0:
            raise ValueError
        if any(byte >> 6 != 2 for byte in buffer[1:need]):
            raise ValueError
        if len(buffer) < need:
            break
        found.append(ord(bytes(buffer[:need]).decode()))
        buffer = buffer[need:]
    return found, buffer


async def talk(reader, writer):
    try:
        name = await reader.readexactly(8)
        writer.write(name)
        rest = b""
        while piece := await reader.read(100):
            found, rest = characters(rest + piece)
            for code in found:
                writer.write(b"U+%04X\n" % code)
            await writer.drain()
        if rest:
            raise ValueError
    except ValueError:
        writer.write(b"not UTF-8\n")
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(talk, os.environ["HOST"], int(os.environ["PORT"]))
    await server.serve_forever()


asyncio.run(main())
