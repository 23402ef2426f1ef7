# other: asyncio with streams, and the digest taken piece by piece as the body comes
import asyncio
import hashlib
import json
import os


class Refused(Exception):
    pass


def understood(text):
    try:
        header = json.loads(text)
        size = header["size"]
    except (ValueError, KeyError, TypeError):
        raise Refused from None
    if type(size) is not int or size not in range(65_537):
        raise Refused
    return header


def answer(writer, fields):
    text = json.dumps(fields).encode()
    writer.write(len(text).to_bytes(4, "big") + text)


async def one_message(reader, writer):
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > 1024:
        raise Refused
    header = understood(await reader.readexactly(length))
    digest, missing = hashlib.sha256(), header["size"]
    while missing:
        piece = await reader.read(min(missing, 4096))
        if not piece:
            raise asyncio.IncompleteReadError(b"", missing)
        digest.update(piece)
        missing -= len(piece)
    if digest.hexdigest() == header["sha256"]:
        answer(writer, {"status": "ok", "name": header["name"], "size": header["size"]})
    else:
        answer(writer, {"status": "error", "code": "digest"})
    await writer.drain()


async def serve(reader, writer):
    try:
        while True:
            await one_message(reader, writer)
    except Refused:
        answer(writer, {"status": "error", "code": "header"})
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, os.environ["HOST"], int(os.environ["PORT"]))
    await server.serve_forever()


asyncio.run(main())
