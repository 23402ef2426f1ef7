# other: no poll at all: sockets that never block, a look at each of them, and a sleep of twenty milliseconds
import os
import socket
import time

LETTERS = b"abcdefghijklmnopqrstuvwxyz" * 4000
listener = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])), backlog=128)
listener.setblocking(False)
clients = []


def look(client):
    """Does what can be done; True while there is more to do."""
    while client["count"] is None:
        came = client["conn"].recv(100)
        client["asked"] += came
        if not came:
            return False
        if client["asked"][-1:] == b"\n":
            client["count"] = int(client["asked"])
    while client["count"]:
        start = client["sent"] % 26
        sent = client["conn"].send(LETTERS[start : start + min(client["count"], 100_000)])
        client["sent"] += sent
        client["count"] -= sent
        if sent < 100_000:
            break
    return client["count"] > 0


while True:
    try:
        while True:
            conn, _ = listener.accept()
            conn.setblocking(False)
            clients.append({"conn": conn, "asked": b"", "count": None, "sent": 0})
    except BlockingIOError:
        pass
    for client in list(clients):
        try:
            stays = look(client)
        except BlockingIOError:
            stays = True
        except OSError:
            stays = False
        if not stays:
            client["conn"].close()
            clients.remove(client)
    time.sleep(0.02)
