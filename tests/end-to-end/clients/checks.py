"""What the scripts of this folder have in common: running checks one after the other and telling how they went."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Awaitable, Callable

# How long anything may take that takes milliseconds on an idle machine. It only bounds how long a failing check hangs.
PATIENCE_SECONDS = 60.0

# Exit codes.
ALL_HOLD = 0
SOME_FAIL = 1
COULD_NOT_RUN = 2


class Failed(Exception):
    """A check that does not hold; the text says what was expected and what came."""


class CouldNotRun(Exception):
    """Nothing can be said about the host, because the script could not talk to it."""


def expect(holds: bool, text: str) -> None:
    if not holds:
        raise Failed(text)


def expect_equal(what: str, actual: object, expected: object) -> None:
    expect(actual == expected, f"{what} is {actual!r}, expected {expected!r}")


class Deadline:
    """Bounds a loop that asks until it likes the answer."""

    def __init__(self, what: str, seconds: float = PATIENCE_SECONDS) -> None:
        self.what = what
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def check(self, last_seen: object) -> None:
        if time.monotonic() > self.end:
            raise Failed(f"{self.what}: not within {self.seconds:.0f} s; last seen: {last_seen!r}")


class Report:
    """One line per check, and the exit code."""

    def __init__(self) -> None:
        self.held = 0
        self.failed = 0

    def ok(self, name: str) -> None:
        self.held += 1
        print(f"ok      {name}", flush=True)

    def failure(self, name: str, text: str) -> None:
        self.failed += 1
        indented = text.strip().replace("\n", "\n        ")
        print(f"FAILED  {name}: {indented}", flush=True)

    def exit_code(self) -> int:
        print(f"{self.held} checks hold, {self.failed} fail", flush=True)
        return SOME_FAIL if self.failed or not self.held else ALL_HOLD

    async def run(self, name: str, check: Callable[[], Awaitable[None]]) -> None:
        try:
            await check()
        except Failed as failed:
            self.failure(name, str(failed))
        except Exception:  # The client's own exceptions are plain ones; with the line they say what was done.
            self.failure(name, traceback.format_exc())
        else:
            self.ok(name)


def base_url(arguments: list[str]) -> str:
    """The one argument: where the management API stands, without a slash at its end."""
    if len(arguments) != 2 or not arguments[1].startswith(("http://", "https://")):
        script = arguments[0].rsplit("/", 1)[-1]
        print(f"usage: {script} http://localhost:7071/runtime/webhooks/durabletask", file=sys.stderr)
        raise SystemExit(COULD_NOT_RUN)
    return arguments[1].rstrip("/")
