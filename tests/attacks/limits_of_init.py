# expect: ended=Exited(0) limit=None left=0
# teeth (user): seccomp
"""Sets the limits of the process that watches it: without descriptors it sees nothing, and without time it dies."""
import os, resource

KINDS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})
for pid in {1, os.getppid(), int(os.environ["DECOY"])}:
    for kind in KINDS:
        try:
            # What it has already, and so little of descriptors that it can open none.
            old = resource.prlimit(pid, kind)
            resource.prlimit(pid, kind, (3, 3) if kind == resource.RLIMIT_NOFILE and pid == 1 else old)
            print("escaped: limit", kind, "of", pid)
        except OSError as error:
            print(pid, kind, error.strerror)
# Its own it may lower, and read.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
assert resource.prlimit(0, resource.RLIMIT_CORE) == resource.prlimit(os.getpid(), resource.RLIMIT_CORE) == (0, 0)
