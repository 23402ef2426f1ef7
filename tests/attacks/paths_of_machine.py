# expect: ended=Exited(0) limit=None left=0
# fenced: escapes
# teeth: files
"""Looks in /proc for what lies where on this machine: mounts, groups, disks, the words it was started with."""
import glob, os, re

for pid in ("self", "1", str(os.getppid())):
    for name in ("mountinfo", "mounts", "mountstats"):
        try:
            with open(f"/proc/{pid}/{name}") as file:
                for line in file:
                    print("escaped:", pid, name, line.strip())
        except OSError as error:
            print(pid, name, error.strerror)
    for name in ("cgroup", "cpuset"):
        try:
            with open(f"/proc/{pid}/{name}") as file:
                for line in file:
                    path = line.strip().split(":")[-1]
                    # The judge's own group is the root; the one that was made for this program is below or beside it.
                    if not re.fullmatch(r"(/\.\.)*(/socklab-[^/]*)*/?", path):
                        print("escaped:", pid, name, path)
        except OSError as error:
            print(pid, name, error.strerror)
    for name in ("cmdline", "comm"):
        with open(f"/proc/{pid}/{name}") as file:
            words = file.read().split("\0")
            if pid == "1" and os.getpid() != 1 and any("/" in word for word in words):
                print("escaped:", pid, name, words)
for name in ("cmdline", "diskstats", "interrupts", "key-users", "keys", "mdstat", "modules", "partitions", "swaps",
             "sys/kernel/core_pattern", "version"):
    try:
        with open(f"/proc/{name}") as file:
            if text := file.read():
                print("escaped:", name, text[:100])
    except OSError as error:
        print(name, error.strerror)
if found := glob.glob("/proc/fs/*"):
    print("escaped:", found)
for name in ("/proc/sys/fs/binfmt_misc/status", "/proc/config.gz", "/sys/block", "/etc/fstab", "/etc/mtab", "/run/mount"):
    if os.path.lexists(name) and name != "/proc/config.gz":
        print("escaped:", name)
