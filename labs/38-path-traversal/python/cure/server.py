"""Stores what it is sent in one folder, and nowhere else, and answers what became of it."""

import errno
import json
import os
import socket
import stat
import struct

SERVER = ("127.0.0.1", 9991)
WHY = {
    errno.ELOOP: "there is a link on the way",
    errno.EISDIR: "it names a folder",
    errno.ENAMETOOLONG: "it is too long",
}


def plain_name(name):
    """One component of a path, and no more than a name; anything else is refused."""
    if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError("it is no plain name")
    return name


def store(inbox, name, content):
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    fd = os.open(plain_name(name), flags, 0o666, dir_fd=inbox)  # ①
    with open(fd, "wb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):  # ②
            raise ValueError("it is not a regular file")
        file.truncate(0)
        file.write(content)


def answer(inbox, header, content):
    try:
        store(inbox, header["file_name"], content)
    except ValueError as error:
        return f"refused: {error}"
    except OSError as error:
        return f"refused: {WHY.get(error.errno, error.strerror)}"
    return "stored"


def serve():
    inbox = os.open("server_home", os.O_RDONLY | os.O_DIRECTORY)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(SERVER)
        listener.listen(5)
        conn, _client = listener.accept()
        with conn:
            while four := conn.recv(4):
                header = json.loads(conn.recv(struct.unpack("i", four)[0]))
                conn.sendall(answer(inbox, header, conn.recv(header["file_size"])).encode())


if __name__ == "__main__":
    serve()
