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
    "ioctl(TIOCLINUX)": (16, 0, 0x541C, b"x"), "unshare(NEWTIME)": (272, 0x80), "unshare(NEWCGROUP)": (272, 0x2000000),
    "setns(pidfd)": (308, 0, 0x20000000), "clone(NEWNET)": (56, 0x40000000 | 17, 0, 0, 0, 0), "request_key": (249, 0, 0, 0, 0),
    "process_vm_writev": (311, os.getpid(), 0, 0, 0, 0, 0), "kcmp": (312, os.getpid(), os.getpid(), 0, 0, 0),
    "finit_module": (313, 0, b"", 0), "delete_module": (176, b"", 0), "kexec_file_load": (320, 0, 0, 0, 0, 0),
    "reboot": (169, 0, 0, 0, 0), "swapoff": (168, b"/"), "clock_settime": (227, 0, 0), "adjtimex": (159, 0),
    "clock_adjtime": (305, 0, 0), "acct": (163, 0), "quotactl_fd": (443, 0, 0, 0, 0), "syslog": (103, 10, 0, 0),
    "setdomainname": (171, b"owned", 5), "name_to_handle_at": (303, -100, b"/", 0, 0, 0), "fanotify_init": (300, 0, 0),
    "vhangup": (153,), "open_tree_attr": (467, -100, b"/", 1, 0, 0), "move_mount": (429, -1, b"", -1, b"", 0),
    "fsconfig": (431, -1, 0, 0, 0, 0), "fsmount": (432, -1, 0, 0), "fspick": (433, -100, b"/", 0),
    "mount_setattr": (442, -100, b"/", 0, 0, 0), "io_uring_enter": (426, -1, 0, 0, 0, 0), "io_uring_register": (427, -1, 0, 0, 0),
    "io_setup": (206, 1, 0), "memfd_secret": (447, 0), "statmount": (457, 0, 0, 0, 0), "listmount": (458, 0, 0, 0, 0),
    "listns": (470, 0, 0, 0, 0), "modify_ldt": (154, 0, 0, 0), "iopl": (172, 3), "ioperm": (173, 0, 1, 1), "sync": (162,),
    "syncfs": (306, 0), "migrate_pages": (256, 0, 0, 0, 0), "move_pages": (279, 0, 0, 0, 0, 0, 0), "lookup_dcookie": (212, 0, 0, 0),
    "prctl(PR_SCHED_CORE)": (157, 62, 1, 0, 0, 0), "one of a newer kernel": (500,), "the last before x32's": (0x3FFFFFFF,),
}
EPERM, ENOSYS = 1, 38
for name, arguments in CALLS.items():
    returned = libc.syscall(*arguments)
    error = ctypes.get_errno() if returned == -1 else 0
    if name.startswith("clone(") and returned == 0:
        os._exit(0)
    print("stopped:" if error in (EPERM, ENOSYS) else "escaped:", name, os.strerror(error))
