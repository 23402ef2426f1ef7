# expect: ended=Exited(0) limit=None left=0
# teeth: files landlock
"""Reads a file that everybody may read, on ten ways."""
import os

path = os.environ["SECRET"]
ways = [path, f"/proc/1/root{path}", f"/proc/self/root{path}", f"/proc/{os.getppid()}/root{path}", "../../.." + path,
        f"/proc/{os.environ['DECOY']}/root{path}", f"/proc/{os.environ['DECOY']}/cwd/answers"]
os.symlink(path, "link")
ways.append("link")
for make in (os.link, os.rename):
    try:
        make(path, "copy")
        ways.append("copy")
    except OSError:
        pass
for way in ways:
    try:
        with open(way) as file:
            print("escaped:", file.read())
    except OSError as error:
        print(way, error.strerror)
