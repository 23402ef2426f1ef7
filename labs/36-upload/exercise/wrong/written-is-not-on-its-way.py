# wrong: what was written is expected to be in the file before that is closed
# fails: one-file, several-files, typed-ahead, any-bytes, not-there, names-of-any-kind, names-that-lead-out,
# fails: client-leaves, client-breaks-off, half-a-file, server-killed, folder
# shows: what "give the file back", got "filesize"
import hashlib
import json
import os
import socket
import struct

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
FOLDER = os.environ.get("FOLDER", "inbox")
UNFINISHED = os.path.join(FOLDER, ".unfinished")
LONGEST_HEADER = 65_536
LARGEST = 1_048_576


class Refused(Exception):
    """What the client wants cannot be; the next request is where it should be."""


class BadHeader(Exception):
    """Nobody knows where the next request begins."""


def recv_some(conn, n):
    piece = conn.recv(n)
    if not piece:
        raise EOFError("the client left")
    return piece


def recv_exact(conn, n):
    """Reads n bytes, in however many pieces they come."""
    data = bytearray()
    while len(data) < n:
        data += recv_some(conn, n - len(data))
    return bytes(data)


def read_header(conn):
    (length,) = struct.unpack("!I", recv_exact(conn, 4))
    if length > LONGEST_HEADER:
        raise BadHeader("it is too long")
    try:
        header = json.loads(recv_exact(conn, length))
    except (ValueError, RecursionError) as error:
        raise BadHeader("it is no JSON") from error
    if not isinstance(header, dict) or type(header.get("filename")) is not str:
        raise BadHeader("it has no filename")
    if header.get("cmd") == "put":
        # True is an int, too.
        if type(header.get("filesize")) is not int or type(header.get("sha256")) is not str:
            raise BadHeader("it has no filesize, or no sha256")
        if not 0 <= header["filesize"] <= LARGEST:
            raise BadHeader("no file is of that size")
    elif header.get("cmd") != "get":
        raise BadHeader("it has no cmd")
    return header


def path_of(name):
    if not name or name.startswith(".") or "/" in name or "\0" in name or len(name.encode()) > 255:
        raise Refused("the name is not allowed")
    return os.path.join(FOLDER, name)


def receive(conn, size):
    """Reads a file into one that has no name yet, and returns its digest."""
    digest = hashlib.sha256()
    global file
    file = open(UNFINISHED, "wb")
    data = recv_exact(conn, size)
    file.write(data)
    digest.update(data)
    return digest.hexdigest()


def put(conn, header):
    # It comes, whatever is wrong with it.
    digest = receive(conn, header["filesize"])
    path = path_of(header["filename"])
    if digest != header["sha256"]:
        raise Refused("the digest is another one")
    # There is one client at a time: nobody takes the name between these two.
    if os.path.exists(path):
        raise Refused("the name is taken")
    os.rename(UNFINISHED, path)
    answer(conn, ok=True)


def get(conn, header):
    try:
        with open(path_of(header["filename"]), "rb") as file:
            data = file.read()
    except FileNotFoundError as error:
        raise Refused("there is no such file") from error
    answer(conn, ok=True, filesize=len(data))
    conn.sendall(data)


def answer(conn, **fields):
    header = json.dumps(fields).encode()
    conn.sendall(struct.pack("!I", len(header)) + header)


def serve(conn):
    try:
        while True:
            header = read_header(conn)
            try:
                if header["cmd"] == "put":
                    put(conn, header)
                else:
                    get(conn, header)
            except Refused as error:
                answer(conn, ok=False, error=str(error))
    except BadHeader as error:
        answer(conn, ok=False, error=str(error))


os.makedirs(FOLDER, exist_ok=True)
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((HOST, PORT))
listener.listen(5)

while True:
    conn, client = listener.accept()
    with conn:
        try:
            serve(conn)
        except (EOFError, OSError):
            pass  # this client is gone; the next one is not
