"""Hooks for schemathesis: brings requests close to what there is, so that they get past the first check.

A random instance id answers nothing but 404. So most requests are pointed at an instance that was brought into some state
just before, at functions that there are, and at the right task hub; the rest stay as random as they are. What is done with
a request follows from the request alone, so that one that fails can be repeated.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import requests
import schemathesis

BASE = os.environ["DACAPO_MANAGEMENT_API"]
TASK_HUB = os.environ["DACAPO_TASK_HUB"]
# Where to write at the end what was answered.
ANSWERS_FILE = Path(os.environ["DACAPO_ANSWERS_FILE"])

# What an instance in a path becomes; None leaves it as random as it is.
STATES = (None, "Completed", "Failed", "Terminated", "Running", "Suspended", "entity")
# The only state in which an operation is done. Every second request finds it, so that some come through however few there are.
FITTING = {"suspend": "Running", "resume": "Suspended", "rewind": "Failed"}
FUNCTIONS = (None, "Echo", "WaitForApproval", "FailOnce", "echo")
EVENTS = (None, "Approval")
OPERATIONS = (None, "add", "reset", "get", "delete")
KEYS = (None, "fuzzed")

# Longest wait for an instance to end, in seconds: most never do.
LONGEST_WAIT = 0.05
PATIENCE_SECONDS = 30.0

ENTITY_KEY = "fuzzed"


class Instances:
    """One instance for each state, made anew when a request has changed it."""

    def __init__(self) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.ids: dict[str, str] = {}
        # Everything that the host has told an id of: steps that follow a link come with one of those.
        self.told: set[str] = set()

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.http.request(method, f"{BASE}/{path}", timeout=PATIENCE_SECONDS, **more)

    def status(self, instance_id: str) -> str | None:
        answer = self.call("GET", f"instances/{instance_id}?showInput=false")
        return answer.json()["runtimeStatus"] if answer.status_code in (200, 202) else None

    def in_state(self, state: str) -> str:
        if state == "entity":
            self.call("POST", f"entities/Counter/{ENTITY_KEY}?op=add", json=1)
            return f"@counter@{ENTITY_KEY}"
        instance_id = self.ids.get(state)
        if instance_id is None or self.status(instance_id) != state:
            instance_id = self.ids[state] = self.make(state)
        return instance_id

    def make(self, state: str) -> str:
        function = {"Completed": "Echo", "Failed": "FailOnce"}.get(state, "WaitForApproval")
        instance_id = self.call("POST", f"orchestrators/{function}", json={"a": [1]}).json()["id"]
        if function == "WaitForApproval":
            self.until(instance_id, "Running")
        if state == "Terminated":
            self.call("POST", f"instances/{instance_id}/terminate?reason=why")
        if state == "Suspended":
            self.call("POST", f"instances/{instance_id}/suspend?reason=why")
        self.until(instance_id, state)
        return instance_id

    def until(self, instance_id: str, state: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while (status := self.status(instance_id)) != state:
            if time.monotonic() > end:
                raise TimeoutError(f"instance {instance_id} is {status}, not {state}")


INSTANCES = Instances()

# How often each operation was answered with each status.
ANSWERS: dict[str, Counter[int]] = {}


@atexit.register
def write_answers() -> None:
    ANSWERS_FILE.write_text(json.dumps(ANSWERS))


def choose(choices: tuple[str | None, ...], case: Any, salt: str) -> str | None:
    """Always the same for the same request."""
    text = repr((salt, case.operation.label, case.path_parameters, case.query, case.body))
    return choices[zlib.crc32(text.encode("utf-8", "replace")) % len(choices)]


def states(case: Any) -> tuple[str | None, ...]:
    fitting = FITTING.get(case.operation.path.rsplit("/", 1)[-1])
    return STATES if fitting is None else STATES + (fitting,) * len(STATES)


def shorten(query: dict[str, Any], name: str) -> None:
    with contextlib.suppress(KeyError, TypeError, ValueError):
        query[name] = min(float(query[name]), LONGEST_WAIT)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    path, query = case.path_parameters or {}, case.query or {}
    chosen = {
        "instanceId": choose(states(case), case, "state"),
        "functionName": choose(FUNCTIONS, case, "function"),
        "eventName": choose(EVENTS, case, "event"),
        "entityName": choose(("Counter", "counter", None), case, "entity"),
        "entityKey": choose(KEYS, case, "key"),
    }
    operation, hub = choose(OPERATIONS, case, "operation"), choose((TASK_HUB, TASK_HUB, TASK_HUB, None), case, "hub")
    starts = case.operation.path.startswith("/orchestrators/")
    for name, value in chosen.items():
        # A start names an instance that is not there yet; but one in seven meets one that is.
        if name == "instanceId" and starts and value not in ("Running", "Completed"):
            continue
        if name in path and value is not None and path[name] not in INSTANCES.told:
            path[name] = INSTANCES.in_state(value) if name == "instanceId" else value
    if operation is not None and "op" in query:
        query["op"] = operation
    if hub is not None and "taskHub" in query:
        query["taskHub"] = hub
    for name in ("timeout", "pollingInterval"):
        shorten(query, name)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    ANSWERS.setdefault(case.operation.label, Counter())[response.status_code] += 1
    try:
        answer = json.loads(response.content)
    except ValueError:
        return
    if isinstance(answer, dict) and isinstance(answer.get("id"), str):
        INSTANCES.told.add(answer["id"])


@schemathesis.hook
def filter_path_parameters(context: Any, path_parameters: dict[str, Any]) -> bool:
    """HTTP clients take dots out of a path before they send it."""
    return not any(value in (".", "..") for value in (path_parameters or {}).values())


@schemathesis.deserializer("application/x-ndjson")
def lines_of_json(context: Any, response: Any) -> list[Any]:
    # Not splitlines(): it also splits at characters that JSON may have in a string.
    return [json.loads(line) for line in response.content.decode().split("\n") if line]
