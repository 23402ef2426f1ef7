# other: asyncio with streams; a file comes into memory, and a dictionary says which names are being given
import asyncio
import hashlib
import json
import os

FOLDER = os.environ["FOLDER"]


class Refused(Exception):
    pass


class Unreadable(Exception):
    pass


def understood(text):
    try:
        header = json.loads(text)
    except ValueError:
        raise Unreadable from None
    match header:
        case {"cmd": "get", "filename": str()}:
            return header
        case {"cmd": "put", "filesize": bool()}:
            pass
        case {"cmd": "put", "filename": str(), "filesize": int(size), "sha256": str()} if 0 <= size <= 2**20:
            return header
    raise Unreadable


def path_of(name):
    if name[:1] in ("", ".") or "/" in name or "\0" in name or len(name.encode()) > 255:
        raise Refused("that is no name")
    return os.path.join(FOLDER, name)


def keep(header, data):
    path = path_of(header["filename"])
    if hashlib.sha256(data).hexdigest() != header["sha256"]:
        raise Refused("digest")
    if os.path.exists(path):
        raise Refused("taken")
    # Nobody else runs before the next await.
    with open(os.path.join(FOLDER, ".new"), "wb") as file:
        file.write(data)
    os.rename(os.path.join(FOLDER, ".new"), path)


def answer(writer, fields):
    text = json.dumps(fields).encode()
    writer.write(len(text).to_bytes(4, "big") + text)


async def one(reader, writer):
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > 65_536:
        raise Unreadable
    header = understood(await reader.readexactly(length))
    try:
        if header["cmd"] == "put":
            keep(header, await reader.readexactly(header["filesize"]))
            answer(writer, {"ok": True})
        else:
            with open(path_of(header["filename"]), "rb") as file:
                data = file.read()
            answer(writer, {"ok": True, "filesize": len(data)})
            writer.write(data)
    except (Refused, FileNotFoundError) as error:
        answer(writer, {"ok": False, "error": f"refused: {error}"})
    await writer.drain()


async def serve(reader, writer):
    try:
        while True:
            await one(reader, writer)
    except Unreadable:
        answer(writer, {"ok": False, "error": "what is that?"})
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def main():
    os.makedirs(FOLDER, exist_ok=True)
    server = await asyncio.start_server(serve, os.environ["HOST"], int(os.environ["PORT"]), limit=100_000)
    await server.serve_forever()


asyncio.run(main())
