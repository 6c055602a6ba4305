"""Runs a command at a terminal of its own and types what a person would.

    terminal.py STEPS COMMAND [ARGUMENT ...]

STEPS is JSON: a list of [text to wait for, keys to type then]. Prints everything that was on the terminal, and ends as the command
did, with 128 and the signal if one ended it. Ends with 99 if a text does not come.
"""

import json
import os
import pty
import select
import sys
import termios
import time

# How long anything may take that takes milliseconds on an idle machine.
PATIENCE_SECONDS = 120
NEVER_CAME = 99


def main() -> int:
    steps = json.loads(sys.argv[1])
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execv(sys.argv[2], sys.argv[2:])
    shown = b""
    begin = 0
    for text, keys in steps:
        found = -1
        deadline = time.monotonic() + PATIENCE_SECONDS
        while found < 0 or not takes_keys(terminal):
            if time.monotonic() > deadline:
                print(f"{text!r} never came; this did:\n{shown.decode(errors='replace')}")
                return NEVER_CAME
            more = read(terminal)
            if more is None:
                break
            shown += more
            found = shown.find(text.encode(), begin) if found < 0 else found
        begin = len(shown)
        os.write(terminal, keys.encode())
    while (more := read(terminal)) is not None:
        shown += more
    _, status = os.waitpid(child, 0)
    sys.stdout.write(shown.decode(errors="replace"))
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def takes_keys(terminal: int) -> bool:
    """Whether the command reads keys rather than lines: what is typed before would be taken for a line."""
    return not termios.tcgetattr(terminal)[3] & termios.ICANON


def read(terminal: int) -> bytes | None:
    """What is new, if anything; None at the end."""
    ready, _, _ = select.select([terminal], [], [], 0.01)
    if not ready:
        return b""
    try:
        return os.read(terminal, 65536) or None
    except OSError:  # How Linux says that the other side is closed.
        return None


if __name__ == "__main__":
    sys.exit(main())
