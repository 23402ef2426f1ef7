# wrong: a client that has sent FIN is expected to want no more answers
# fails: pending-answers
# shows: wrong, what "closed the connection"
# race: whether the FIN comes with the last bytes or behind them
import os
import socket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((os.environ["HOST"], int(os.environ["PORT"])))
listener.listen(5)
import select

while True:
    conn, client = listener.accept()
    poll = select.poll()
    poll.register(conn, select.POLLIN | select.POLLRDHUP)
    try:
        while True:
            [(_, events)] = poll.poll()
            if events & select.POLLRDHUP:
                break
            conn.sendall(conn.recv(1024).upper())
    except OSError:
        pass
    conn.close()
