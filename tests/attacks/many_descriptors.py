# expect: ended=Exited(0) limit=None left=0
# teeth: limits
"""Opens 1000 descriptors."""
import os

held = []
try:
    while len(held) < 1000:
        held.append(os.dup(0))
except OSError as error:
    print("stopped by", error.strerror, "at", len(held))
else:
    print("escaped: 1000 descriptors")
