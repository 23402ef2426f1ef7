import socket

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(("127.0.0.1", 8080))
    listener.listen(5)
    conn, _client = listener.accept()
    with conn, conn.makefile("rb") as file:
        line = file.readline()
        print("the line:", line)
        try:
            conn.recv(5, socket.MSG_DONTWAIT)
        except BlockingIOError as error:
            print("recv:", error)
        print("the body:", file.read(int(line)))
