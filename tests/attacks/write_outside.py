# expect: ended=Exited(0) limit=None left=0
# teeth: files landlock
"""Makes a file wherever it can but in its own places."""
import os

for folder in (os.environ["OUTSIDE"], "/", "/usr", "/usr/local/bin", "/etc", "/dev", "/root", "/home", "/var/tmp", "/proc"):
    path = os.path.join(folder, "made-by-an-attack")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        print("escaped:", path)
        os.unlink(path)
    except OSError as error:
        print(path, error.strerror)
