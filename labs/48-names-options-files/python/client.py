import socket

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as conn:
    print("before connect:", conn.getsockname())
    conn.connect(("127.0.0.1", 8080))
    print(f"the connection: {conn.getsockname()}, to {conn.getpeername()}")  # ④
