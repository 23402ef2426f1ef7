# expect: ended=Exited(0) limit=None left=0
# fenced: escapes
# teeth: names
"""Finds out which machine it is on."""
import os, socket

print("escaped:" if socket.gethostname() == os.environ["MACHINE"] else "called", socket.gethostname())
