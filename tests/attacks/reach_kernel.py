# expect: ended=Exited(0) limit=None left=0
# fenced: escapes
# teeth: files landlock
"""Looks for what the kernel has for administrators in files: devices, settings, its own tables."""
import os

for path in ("/dev/mem", "/dev/kmem", "/dev/port", "/dev/kvm", "/dev/net/tun", "/dev/fuse", "/dev/tty", "/dev/ptmx",
             "/dev/pts", "/dev/userfaultfd", "/dev/loop-control", "/dev/mapper/control", "/dev/vsock", "/dev/vhost-net",
             "/dev/kmsg", "/dev/console", "/dev/input", "/dev/snd", "/sys", "/sys/fs/cgroup", "/sys/kernel/debug", "/boot",
             "/run", "/var", "/root", "/home", "/proc/sysrq-trigger", "/proc/acpi/wakeup"):
    writes = path.startswith("/proc")
    if os.path.lexists(path) and (not writes or os.access(path, os.W_OK)):
        print("escaped:", path, "is there")
for path in ("/proc/kcore", "/proc/kmsg", "/proc/timer_list", "/proc/slabinfo", "/proc/vmallocinfo", "/proc/kpageflags"):
    try:
        with open(path, "rb") as file:
            if file.read(1):
                print("escaped: reads", path)
    except OSError as error:
        print(path, error.strerror)
for name in ("kernel/core_pattern", "kernel/ns_last_pid", "kernel/modprobe", "kernel/shmmax", "kernel/msgmax", "kernel/hostname",
             "vm/overcommit_memory", "vm/drop_caches", "fs/file-max", "fs/pipe-max-size", "net/core/somaxconn",
             "net/ipv4/ip_forward", "net/ipv4/ip_local_port_range", "user/max_user_namespaces"):
    path = f"/proc/sys/{name}"
    try:
        # Not even the same may be written.
        with open(path, "r+") as file:
            before = file.read()
            file.write(before)
            file.flush()
        print("escaped:" if before else "nothing is there:", path)
    except OSError as error:
        print(path, error.strerror)
for name in ("oom_score_adj", "oom_adj"):
    try:
        with open(f"/proc/self/{name}", "w") as file:
            file.write("-17")
        print("escaped:", name)
    except OSError as error:
        print(name, error.strerror)
