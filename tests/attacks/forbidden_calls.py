# expect: ended=Exited(0) limit=None left=0
# teeth: seccomp
"""Makes system calls that reach beyond a program's own affairs. Numbers are those of x86-64."""
import ctypes, os, platform

if platform.machine() != "x86_64":
    raise SystemExit(0)
libc = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "mount": (165, 0, 0, 0, 0, 0), "umount2": (166, b"/", 0), "pivot_root": (155, b".", b"."), "chroot": (161, b"/"),
    "unshare(NEWUSER)": (272, 0x10000000), "unshare(NEWNET)": (272, 0x40000000), "setns": (308, 0, 0),
    "clone(NEWUSER)": (56, 0x10000000 | 17, 0, 0, 0, 0), "clone3": (435, 0, 0), "bpf": (321, 0, 0, 0),
    "perf_event_open": (298, 0, 0, 0, 0, 0), "keyctl": (250, 0, -3, 0), "add_key": (248, 0, 0, 0, 0, 0),
    "userfaultfd": (323, 1), "process_vm_readv": (310, os.getpid(), 0, 0, 0, 0, 0), "pidfd_getfd": (438, 0, 0, 0),
    "init_module": (175, 0, 0, b""), "kexec_load": (246, 0, 0, 0, 0), "swapon": (167, b"/", 0),
    "settimeofday": (164, 0, 0), "sethostname": (170, b"owned", 5), "io_uring_setup": (425, 1, 0),
    "open_by_handle_at": (304, 0, 0, 0), "fsopen": (430, b"tmpfs", 0), "open_tree": (428, -100, b"/", 1),
    "x32 getpid": (0x40000000 + 39,), "ioctl(TIOCSTI)": (16, 0, 0x5412, b"x"), "quotactl": (179, 0, 0, 0, 0),
}
EPERM, ENOSYS = 1, 38
for name, arguments in CALLS.items():
    returned = libc.syscall(*arguments)
    error = ctypes.get_errno() if returned == -1 else 0
    if name == "clone(NEWUSER)" and returned == 0:
        os._exit(0)
    print("stopped:" if error in (EPERM, ENOSYS) else "escaped:", name, os.strerror(error))
