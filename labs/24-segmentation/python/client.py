import socket
import struct

SERVER = ("127.0.0.1", 8080)
DATA_SEGS_OUT = 156  # where tcpi_data_segs_out stands in Linux's struct tcp_info

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    conn.connect(SERVER)
    conn.send(b"x" * 20_000)  # ①
    print("a segment carries at most", conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG), "bytes")
    conn.shutdown(socket.SHUT_WR)
    conn.recv(1)  # returns when the server has read everything and closed
    info = conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    print("segments with data:", *struct.unpack_from("=I", info, DATA_SEGS_OUT))  # ⑤
