"""Compares a host with the OpenAPI document that it serves: first the document with itself, then the host with the document.

Argument: where the management API stands. The host must run `function-manifests/durable-model.toml`, and should be one that
nobody else needs: random requests start, terminate and purge whatever there is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from checks import COULD_NOT_RUN, CouldNotRun, Failed, Report, base_url, expect

HERE = Path(__file__).resolve().parent

# For the random requests, in seconds. Schemathesis goes on until it is over.
SECONDS_FOR_REQUESTS = 40
# Until it is ended, whatever it does.
PATIENCE_SECONDS = 85

# Operations that a client of Durable Functions relies on, and those that are Dacapo's.
OPERATIONS = {
    "POST /orchestrators/{functionName}",
    "POST /orchestrators/{functionName}/{instanceId}",
    "GET /instances",
    "DELETE /instances",
    "GET /instances/{instanceId}",
    "DELETE /instances/{instanceId}",
    "POST /instances/{instanceId}/raiseEvent/{eventName}",
    "POST /instances/{instanceId}/terminate",
    "POST /instances/{instanceId}/suspend",
    "POST /instances/{instanceId}/resume",
    "POST /instances/{instanceId}/rewind",
    "POST /instances/{instanceId}/restart",
    "GET /instances/{instanceId}/explain",
    "GET /instances/{instanceId}/history",
    "GET /entities",
    "GET /entities/{entityName}",
    "GET /entities/{entityName}/{entityKey}",
    "POST /entities/{entityName}",
    "POST /entities/{entityName}/{entityKey}",
    "DELETE /entities/{entityName}",
    "DELETE /entities/{entityName}/{entityKey}",
    "POST /makeprimary",
    "GET /openapi.json",
}

METHODS = ("get", "post", "delete", "put", "patch")


def fetch(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"} if data else {})
    # No proxy: whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)
    except (OSError, ValueError) as error:
        raise CouldNotRun(f"{url}: {error}") from error


class Document:
    """An OpenAPI document and how to find things in it."""

    ADDRESS = "urn:openapi"

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        resource = Resource.from_contents(document, default_specification=DRAFT202012)
        self.registry: Registry[Any] = Registry().with_resource(self.ADDRESS, resource)

    def resolve(self, value: Any) -> Any:
        while isinstance(value, dict) and "$ref" in value:
            target: Any = self.document
            for step in value["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            value = target
        return value

    def operations(self) -> set[str]:
        paths = self.document["paths"].items()
        return {f"{method.upper()} {path}" for path, item in paths for method in METHODS if method in item}

    def errors(self, pointer: str, schema: Any, example: Any) -> list[str]:
        # The schema is looked at where it stands, so that its references are found.
        at = f"{self.ADDRESS}#{pointer}"
        validator = Draft202012Validator({"$ref": at}, registry=self.registry)
        return [f"{pointer}: {error.message}" for error in validator.iter_errors(example)]

    def examples(self) -> Iterator[tuple[str, Any, Any]]:
        """Where a schema stands, the schema, and an example of it."""
        for pointer, node in self.nodes("", self.document):
            if not isinstance(node, dict):
                continue
            if "schema" in node:
                schema = f"{pointer}/schema"
                if "example" in node:
                    yield schema, node["schema"], node["example"]
                for example in node.get("examples", {}).values():
                    yield schema, node["schema"], example["value"]
            elif pointer.startswith("/components/schemas/") and isinstance(node.get("examples"), list):
                for example in node["examples"]:
                    yield pointer, node, example

    def nodes(self, pointer: str, node: Any) -> Iterator[tuple[str, Any]]:
        yield pointer, node
        if isinstance(node, dict):
            for name, value in node.items():
                # Examples hold payloads, and a payload may look like anything.
                if name not in ("example", "examples", "value"):
                    yield from self.nodes(f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", value)
        elif isinstance(node, list):
            for index, value in enumerate(node):
                yield from self.nodes(f"{pointer}/{index}", value)


def is_valid(document: Document) -> None:
    expect(document.document["openapi"].startswith("3.1."), f"OpenAPI {document.document['openapi']}, not 3.1")
    errors = [
        f"{list(error.absolute_path)}: {error.message}"
        for error in OpenAPIV31SpecValidator(document.document).iter_errors()
    ]
    expect(not errors, "\n".join(errors))


def has_every_operation(document: Document) -> None:
    actual = document.operations()
    expect(actual == OPERATIONS, f"missing: {sorted(OPERATIONS - actual)}; unexpected: {sorted(actual - OPERATIONS)}")


def has_fitting_examples(document: Document) -> None:
    examples = list(document.examples())
    expect(len(examples) > 50, f"only {len(examples)} examples")
    errors = [error for example in examples for error in document.errors(*example)]
    expect(not errors, "\n".join(errors))


def has_closed_shapes(document: Document) -> None:
    """What clients read by name is closed, so that a field nobody wrote down is found."""
    nodes = document.nodes("", document.document)
    open_shapes = [
        pointer
        for pointer, node in nodes
        if isinstance(node, dict) and "properties" in node and node.get("type") == "object"
        if node.get("additionalProperties") is not False and not pointer.startswith("/paths/~1openapi.json")
    ]
    expect(not open_shapes, f"not closed: {open_shapes}")


def task_hub(base: str) -> str:
    """As it stands in the URIs of an instance."""
    uri = fetch(f"{base}/orchestrators/Echo", {})["statusQueryGetUri"]
    return urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)["taskHub"][0]


def answers_as_documented(base: str, document: Document, report: Report) -> None:
    """Random requests to every operation: one line for each operation, and one for each kind of deviation."""
    with tempfile.TemporaryDirectory() as folder:
        summary, answers = Path(folder) / "report.json", Path(folder) / "answers.json"
        run = send_requests(base, summary, answers)
        if not summary.exists() or not answers.exists():
            raise CouldNotRun(f"schemathesis ended with {run.returncode}:\n{run.stdout}{run.stderr}")
        result, answered = json.loads(summary.read_text()), json.loads(answers.read_text())
    for operation in sorted(document.operations() - {"GET /openapi.json"}):
        statuses = answered.get(operation, {})
        told = ", ".join(f"{status} x {times}" for status, times in sorted(statuses.items()))
        if any(status.startswith("2") for status in statuses):
            report.ok(f"{operation}: {told}")
        else:
            report.failure(operation, f"no request came through; answers: {told or 'none'}")
    for failure in result["failures"]:
        report.failure(failure["title"], f"{failure['count']} times, by {', '.join(failure['operations'])}")
    for error in result["errors"]:
        report.failure(error["title"], f"{error['count']} times")
    if run.returncode and not report.failed:
        report.failure("schemathesis", f"ended with {run.returncode}")
    if report.failed:
        print(run.stdout + run.stderr)


def send_requests(base: str, summary: Path, answers: Path) -> subprocess.CompletedProcess[str]:
    schemathesis = [sys.executable, "-B", "-m", "schemathesis.cli"]
    schemathesis += ["--config-file", str(HERE / "schemathesis.toml"), "--no-color"]
    command = [*schemathesis, "run", f"{base}/openapi.json", "--url", base, "--max-time", str(SECONDS_FOR_REQUESTS)]
    command += ["--report", "json", "--report-json-path", str(summary)]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": str(HERE / "conformance_hooks.py"),
        "DACAPO_MANAGEMENT_API": base,
        "DACAPO_TASK_HUB": task_hub(base),
        "DACAPO_ANSWERS_FILE": str(answers),
        "NO_PROXY": "*",
    }
    try:
        return subprocess.run(
            command,
            cwd=summary.parent,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        printed = (error.stdout or b"").decode(errors="replace")
        raise CouldNotRun(f"schemathesis does not end within {PATIENCE_SECONDS} s:\n{printed}") from error


def main(base: str) -> int:
    report = Report()
    document = Document(fetch(f"{base}/openapi.json"))
    for check in (is_valid, has_every_operation, has_fitting_examples, has_closed_shapes):
        name = f"the document {check.__name__.replace('_', ' ')}"
        try:
            check(document)
        except Failed as failed:
            report.failure(name, str(failed))
        else:
            report.ok(name)
    # A document that is wrong in itself says nothing about a host.
    if not report.failed:
        answers_as_documented(base, document, report)
    return report.exit_code()


if __name__ == "__main__":
    try:
        sys.exit(main(base_url(sys.argv)))
    except CouldNotRun as why:
        print(why, file=sys.stderr)
        sys.exit(COULD_NOT_RUN)
