# expect: ended=Exited(0) limit=None left=0
# teeth: limits
"""Starts as many threads as it may, up to 300."""
import os, threading

threading.stack_size(64 * 1024)
wait = threading.Event()
count = 0
try:
    while count < 300:
        threading.Thread(target=wait.wait, daemon=True).start()
        count += 1
except RuntimeError as error:
    print("stopped by", error, "at", count)
else:
    print("escaped: 300 threads")
print(flush=True)
os._exit(0)
