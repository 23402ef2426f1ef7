"""Plays a user at a terminal: at_a_terminal.py KEYS... -- PROGRAM...

Each of KEYS, with Python's escapes, is typed when the program asks for the next line. Prints what was to be seen, and
then how the program ended.
"""

import os
import pty
import sys

ASKS = b"\x1b[?2004h"  # with which the line editor begins each line: bracketed paste

end = sys.argv.index("--")
keys, program = sys.argv[1:end], sys.argv[end + 1 :]
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(program[0], program)
seen, typed = b"", 0
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    if typed < len(keys) and seen.count(ASKS) > typed:
        os.write(terminal, keys[typed].encode().decode("unicode_escape").encode("latin-1"))
        typed += 1
status = os.waitpid(pid, 0)[1]
sys.stdout.buffer.write(seen)
how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
print(f"\n{typed} lines were typed; the end: {how}")
