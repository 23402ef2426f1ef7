import socket

SERVER = ("127.0.0.1", 8081)
STATES = {"05": "FIN-WAIT-2", "06": "TIME-WAIT", "0A": "LISTEN"}

input()  # press Enter when the old server is gone
with open("/proc/net/tcp") as table:
    rows = [row.split() for row in table]
for row in rows:
    if row[1].endswith(f":{SERVER[1]:04X}"):
        inode = int(row[9])
        print(f"the port: {STATES[row[3]]},", "a process" if inode else "no process")  # ④

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    try:
        listener.bind(SERVER)
    except OSError as error:
        print(error)  # ⑤
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(SERVER)
    except OSError as error:
        print(error)  # ⑥
