# expect: ended=Exited(0) limit=None left=0
# teeth: limits
"""Asks for more than it has: other users, higher limits, real time, locked memory, devices, larger buffers."""
import ctypes, fcntl, os, resource, socket, stat

libc = ctypes.CDLL(None, use_errno=True)


def tries(name, act):
    try:
        act()
        print("escaped:", name)
    except (OSError, ValueError) as error:
        print(name, error)


def call(name, *arguments):
    def act():
        if getattr(libc, name)(*arguments) == -1:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    tries(name, act)


other = 1 if os.getuid() != 1 else 2
tries("setuid", lambda: os.setuid(other))
tries("setgid", lambda: os.setgid(other))
tries("setgroups", lambda: os.setgroups([other]))
tries("seteuid(0)", lambda: os.seteuid(0) if os.geteuid() else os.seteuid(other))
for kind in ("CPU", "NOFILE", "FSIZE", "NPROC", "MEMLOCK", "MSGQUEUE", "RTPRIO", "NICE", "STACK", "CORE"):
    number = getattr(resource, "RLIMIT_" + kind)
    soft, hard = resource.getrlimit(number)
    tries(f"a higher limit {kind} than {hard}", lambda: resource.setrlimit(number, (soft, hard + 1 if hard >= 0 else 1 << 40)))
tries("SCHED_FIFO", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
tries("nice -5", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5))
call("mlock", ctypes.create_string_buffer(8192), 8192)
call("mlockall", 1)
if hasattr(libc, "mq_open"):
    call("mq_open", b"/queue", os.O_CREAT | os.O_RDWR, 0o600, None)
tries("mknod", lambda: os.mknod("device", stat.S_IFBLK | 0o600, os.makedev(8, 0)))
tries("mknod(null)", lambda: os.mknod("null", stat.S_IFCHR | 0o600, os.makedev(1, 3)))
tries("chown", lambda: os.chown(".", other, other))
for path in ("/usr/bin/env", "/usr/bin", "/etc/passwd", "/"):
    tries(f"chmod {path}", lambda: os.chmod(path, 0o777))
    tries(f"utime {path}", lambda: os.utime(path))
with open("/usr/bin/env", "rb") as file:
    tries("lease", lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK))
with socket.socket() as sock:
    for name, option in (("RCVBUFFORCE", 33), ("SNDBUFFORCE", 32), ("MARK", 36), ("DEBUG", 1)):
        tries(name, lambda: sock.setsockopt(socket.SOL_SOCKET, option, 1 << 24))
    tries("ULP", lambda: sock.setsockopt(socket.IPPROTO_TCP, 31, b"tls"))
for number in range(3):
    if os.fstat(number).st_uid != os.getuid():
        tries(f"fchmod({number})", lambda: os.fchmod(number, 0o777))
        tries(f"fchown({number})", lambda: os.fchown(number, os.getuid(), os.getgid()))
open_ones = [int(name) for name in os.listdir("/proc/self/fd")]
if len(open_ones) > 4 or max(open_ones) > 3:
    print("escaped: inherited", open_ones)
