# other: a thread for each client, read by makefile(), a file of its own for each upload, and link; it prints much
import hashlib
import json
import os
import socket
import tempfile
import threading

FOLDER = os.environ["FOLDER"]


def say(conn, **what):
    text = json.dumps(what, separators=(",", ":")).encode()
    conn.sendall(len(text).to_bytes(4, "big"))
    conn.sendall(text)


def exactly(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def understood(text):
    try:
        header = json.loads(text)
        cmd, name = header["cmd"], header["filename"]
        size, digest = (header["filesize"], header["sha256"]) if cmd == "put" else (0, "")
    except (ValueError, KeyError, TypeError):
        return None
    fits = cmd in ("put", "get") and isinstance(name, str) and isinstance(digest, str)
    return (cmd, name, size, digest) if fits and type(size) is int and 0 <= size <= 1_048_576 else None


def is_allowed(name):
    return 0 < len(name.encode()) < 256 and name[0] != "." and not set(name) & {"/", "\0"}


def put(stream, name, size, digest):
    with tempfile.NamedTemporaryFile(dir=FOLDER, prefix=".") as unfinished:
        data = exactly(stream, size)
        unfinished.write(data)
        unfinished.flush()
        if not is_allowed(name):
            return "no such names"
        if hashlib.sha256(data).hexdigest() != digest:
            return "it has changed on its way"
        try:
            os.link(unfinished.name, f"{FOLDER}/{name}")
        except FileExistsError:
            return "somebody was quicker"
    return None


def talk(conn, stream):
    length = int.from_bytes(exactly(stream, 4), "big")
    request = understood(exactly(stream, length)) if length <= 65_536 else None
    if request is None:
        say(conn, ok=False, error="what?")
        return False
    cmd, name, size, digest = request
    if cmd == "put":
        error = put(stream, name, size, digest)
        say(conn, ok=False, error=error) if error else say(conn, ok=True)
    elif is_allowed(name) and os.path.exists(f"{FOLDER}/{name}"):
        with open(f"{FOLDER}/{name}", "rb") as file:
            data = file.read()
        say(conn, ok=True, filesize=len(data))
        conn.sendall(data)
    else:
        say(conn, ok=False, error="no")
    return True


def serve(conn):
    with conn, conn.makefile("rb") as stream:
        try:
            while talk(conn, stream):
                print("one more", "." * 3000)
        except (OSError, EOFError) as error:
            print("it left:", error, flush=True)


os.makedirs(FOLDER, exist_ok=True)
listener = socket.socket()
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen()
while True:
    conn, client = listener.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
