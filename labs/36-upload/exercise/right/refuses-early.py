# other: it refuses a name before the file has come, and gives a name to the first who asks for it
import hashlib
import json
import os
import socket
import threading

FOLDER = os.environ["FOLDER"]
begun, lock = set(), threading.Lock()


def recv_exact(conn, n):
    data = bytearray(n)
    view = memoryview(data)
    while view:
        count = conn.recv_into(view)
        if count == 0:
            raise EOFError
        view = view[count:]
    return bytes(data)


def say(conn, **fields):
    text = json.dumps(fields).encode()
    conn.sendall(len(text).to_bytes(4, "big") + text)


def read_header(conn):
    length = int.from_bytes(recv_exact(conn, 4), "big")
    if length > 65_536:
        raise ValueError(length)
    header = json.loads(recv_exact(conn, length))
    if type(header) is not dict or type(header.get("filename")) is not str:
        raise ValueError(header)
    if header.get("cmd") == "put":
        if type(header.get("filesize")) is not int or not 0 <= header["filesize"] <= 1_048_576:
            raise ValueError(header)
        if type(header.get("sha256")) is not str:
            raise ValueError(header)
    elif header.get("cmd") != "get":
        raise ValueError(header)
    return header


def why_not(name):
    with lock:
        if not name or len(name.encode()) > 255 or name[0] == "." or "/" in name or "\0" in name:
            return "no name"
        if name in begun or name in os.listdir(FOLDER):
            return "taken"
        begun.add(name)
    return None


def put(conn, header):
    name, unfinished = header["filename"], f"{FOLDER}/.{threading.get_ident()}"
    error = why_not(name)
    if error:
        say(conn, ok=False, error=error)
        recv_exact(conn, header["filesize"])
        return
    try:
        data = recv_exact(conn, header["filesize"])
        if hashlib.sha256(data).hexdigest() != header["sha256"]:
            say(conn, ok=False, error="digest")
            return
        with open(unfinished, "wb") as file:
            file.write(data)
        os.replace(unfinished, f"{FOLDER}/{name}")
        say(conn, ok=True)
    finally:
        begun.discard(name)


def get(conn, name):
    if name.startswith(".") or "/" in name or name not in os.listdir(FOLDER):
        say(conn, ok=False, error="there is nothing of this name")
        return
    with open(f"{FOLDER}/{name}", "rb") as file:
        say(conn, ok=True, filesize=os.stat(file.fileno()).st_size)
        conn.sendfile(file)


def serve(conn):
    with conn:
        try:
            while True:
                header = read_header(conn)
                put(conn, header) if header["cmd"] == "put" else get(conn, header["filename"])
        except ValueError:
            say(conn, ok=False, error="header")
        except (EOFError, OSError):
            pass


os.makedirs(FOLDER, exist_ok=True)
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
