# expect: ended=Exited(0) limit=None left=0
# teeth: limits
"""Takes 700 MiB."""
held = []
try:
    for _ in range(70):
        held.append(b"x" * (10 << 20))
except MemoryError:
    print("stopped at", len(held) * 10, "MiB")
else:
    print("escaped: 700 MiB")
