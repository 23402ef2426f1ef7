import selectors
import socket

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('127.0.0.1', 9998))
listener.listen(4096)
listener.setblocking(False)
selector = selectors.DefaultSelector()  # epoll, on Linux
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, events in selector.select():
        if key.fileobj is listener:
            conn, client = listener.accept()
            conn.setblocking(False)
            selector.register(conn, selectors.EVENT_READ, b'')
            continue
        conn, rest = key.fileobj, key.data
        try:
            answer = rest or conn.recv(16384).upper()
            rest = answer[conn.send(answer):]
        except BlockingIOError:
            rest = answer
        except ConnectionError:
            answer = b''
        if answer:
            selector.modify(conn, selectors.EVENT_WRITE if rest else selectors.EVENT_READ, rest)
        else:
            selector.unregister(conn)
            conn.close()
