# expect: ended=Exited(0) limit=None left=0
# teeth (root): user seccomp landlock
"""Turns every screw of init and of its own parent that the kernel gives a process of the same user. Numbers are those of
x86-64."""
import ctypes, os, platform, signal

if platform.machine() != "x86_64":
    raise SystemExit(0)
libc = ctypes.CDLL(None, use_errno=True)
NODE, PAGE = ctypes.c_ulong(1), ctypes.c_void_p(0)
PARAMETER, MASK = ctypes.c_int(0), ctypes.c_ulong(1)
ATTRIBUTES = (ctypes.c_uint32 * 12)(48, 5)
HEAD, LENGTH = ctypes.c_void_p(0), ctypes.c_size_t(0)


def call(name, number, *arguments):
    returned = libc.syscall(number, *arguments)
    error = ctypes.get_errno() if returned == -1 else 0
    print("stopped:" if error else "escaped:", name, returned, os.strerror(error))


for pid in {1, os.getppid()}:
    who = f"of {pid}:"
    call(f"{who} ptrace(ATTACH)", 101, 16, pid, 0, 0)
    call(f"{who} ptrace(SEIZE)", 101, 0x4206, pid, 0, 0)
    call(f"{who} setpriority", 141, 0, pid, 19)
    if os.getpgid(pid) > 0:
        call(f"{who} setpriority of its group", 141, 1, os.getpgid(pid), 19)
    call(f"{who} ioprio_set", 251, 1, pid, 3 << 13)
    call(f"{who} sched_setaffinity", 203, pid, 8, ctypes.byref(MASK))
    call(f"{who} sched_setscheduler(IDLE)", 144, pid, 5, ctypes.byref(PARAMETER))
    call(f"{who} sched_setparam", 142, pid, ctypes.byref(PARAMETER))
    call(f"{who} sched_setattr", 314, pid, ctypes.byref(ATTRIBUTES), 0)
    call(f"{who} prctl(PR_SCHED_CORE)", 157, 62, 1, pid, 0, 0)
    call(f"{who} migrate_pages", 256, pid, 64, ctypes.byref(NODE), ctypes.byref(NODE))
    call(f"{who} move_pages", 279, pid, 1, ctypes.byref(PAGE), 0, ctypes.byref(PARAMETER), 0)
    call(f"{who} get_robust_list", 274, pid, ctypes.byref(HEAD), ctypes.byref(LENGTH))
    call(f"{who} kcmp", 312, pid, os.getpid(), 0, 0, 0)
    call(f"{who} process_vm_readv", 310, pid, 0, 0, 0, 0, 0)
    call(f"{who} setpgid", 109, pid, pid)
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError) as error:
        print(who, error)
        continue
    span = (ctypes.c_size_t * 2)(0x10000, 4096)
    call(f"{who} process_madvise", 440, handle, ctypes.byref(span), 1, 21, 0)
    call(f"{who} process_mrelease", 448, handle, 0)
    call(f"{who} pidfd_getfd", 438, handle, 0, 0)
    call(f"{who} setns", 308, handle, 0x20000)
    for kind in range(1, 12):
        # PIDFD_GET_…_NAMESPACE
        call(f"{who} pidfd ioctl {kind}", 16, handle, 0xFF00 | kind, 0)
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGXCPU):
        try:
            signal.pidfd_send_signal(handle, number)
        except OSError as error:
            print(who, number, error.strerror)
    for name in ("oom_score_adj", "oom_adj", "coredump_filter", "timerslack_ns", "autogroup", "sched", "comm", "clear_refs",
                 "attr/current", "mem", "uid_map", "setgroups", "projid_map", "task/1/comm"):
        try:
            with open(f"/proc/{pid}/{name}", "w") as file:
                file.write("1")
            print("escaped:", who, name)
        except OSError as error:
            print(who, name, error.strerror)
    for name in ("root", "cwd", "exe", "ns/mnt", "ns/net", "fd/0"):
        try:
            os.stat(f"/proc/{pid}/{name}")
            print("escaped:", who, name)
        except OSError as error:
            print(who, name, error.strerror)
    for name in ("mem", "environ", "maps", "syscall", "stack", "auxv", "io", "pagemap", "personality"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                print("escaped:" if file.read(8) else "empty:", who, name)
        except OSError as error:
            print(who, name, error.strerror)
# Everything of this user that it can see, init among it.
for name, number, arguments in (("setpriority", 141, (2, os.getuid(), 19)), ("ioprio_set", 251, (3, os.getuid(), 3 << 13))):
    for pid in {1, os.getppid()}:
        before = os.getpriority(os.PRIO_PROCESS, pid)
        libc.syscall(number, *arguments)
        print("escaped:" if os.getpriority(os.PRIO_PROCESS, pid) != before else "stopped:", name, "of a user")
