import socket
import struct

SERVER = ("127.0.0.1", 8080)


def try_to_receive(way, flags=0):
    try:
        conn.recv(1024, flags)
    except (BlockingIOError, TimeoutError) as error:
        print(f"{way}: {error}")


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    try_to_receive("MSG_DONTWAIT", socket.MSG_DONTWAIT)  # ①
    half_a_second = struct.pack("@ll", 0, 500_000)  # struct timeval: seconds, microseconds
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, half_a_second)
    try_to_receive("SO_RCVTIMEO")  # ②
    conn.settimeout(0.5)
    try_to_receive("settimeout")  # ③
    conn.setblocking(False)
    try_to_receive("setblocking")  # ④
    conn.send(b"hello")
    conn.settimeout(5)
    print(conn.recv(1024).decode())  # ⑤
