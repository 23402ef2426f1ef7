# expect: ended=Exited(0) limit=None left=0
# fenced: escapes
# options: --peer
# teeth: network
"""Takes the port that our peer listens on, and one that somebody listens on outside, which must not matter to it."""
import os, socket

for port, is_peers in ((int(os.environ["PORT"]), True), (int(os.environ["LISTENER"]), False)):
    with socket.socket() as sock:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            sock.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            sock.bind(("127.0.0.1", port))
            sock.listen()
            print("escaped: took the peer's port" if is_peers else "its own")
        except OSError as error:
            print(error if is_peers else "escaped: others are in the way")
