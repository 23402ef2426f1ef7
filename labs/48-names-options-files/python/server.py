import socket

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    print("before bind:", listener.getsockname())  # ①
    listener.bind(("0.0.0.0", 8080))
    listener.listen(5)
    print("the listener:", listener.getsockname())  # ②
    try:
        listener.getpeername()
    except OSError as error:
        print(error)  # ③
    conn, client = listener.accept()
    with conn:
        print("accept said", client)
        print(f"the connection: {conn.getsockname()}, to {conn.getpeername()}")  # ⑤
        conn.recv(1024)  # its FIN
        print("still to", conn.getpeername())  # ⑥
