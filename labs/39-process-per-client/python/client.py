import socket

conn = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
conn.connect(('127.0.0.1', 9998))
while True:
    try:
        line = input('>>')
    except EOFError:
        break
    if not line:
        continue
    conn.sendall(line.encode())
    answer = b''
    while len(answer) < len(line.encode()):
        piece = conn.recv(16384)
        if not piece:
            raise ConnectionError('the server has closed the connection')
        answer += piece
    print(answer.decode())
conn.close()
