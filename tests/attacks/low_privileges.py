# expect: ended=Exited(0) limit=None left=0
# teeth (root): user
"""Looks for a privilege to use: root's number, capabilities, a program that would give some."""
import os

status = dict(line.split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
if 0 in (os.getuid(), os.geteuid(), os.getgid(), os.getegid()) or 0 in os.getgroups():
    print("escaped: root's number")
for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
    if int(status[name], 16):
        print("escaped:", name, status[name])
if status["NoNewPrivs"].strip() != "1":
    print("escaped: a set-user-ID program would work")
