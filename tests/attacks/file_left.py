# expect: ended=Exited(0) limit=None left=0
# runs: 2
# teeth: files landlock
"""Leaves a note for the next one wherever it may write."""
import os

os.umask(0)
for folder in ("/tmp", "/dev/shm", "/box", "/var/tmp"):
    path = os.path.join(folder, "socklab-note-of-attack-" + os.environ["NOTE"])
    try:
        with open(path) as file:
            print("escaped:", path, file.read())
        os.unlink(path)
    except OSError:
        try:
            with open(path, "w") as file:
                file.write("the answers")
        except OSError as error:
            print(path, error.strerror)
