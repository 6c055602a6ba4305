"""Drives a host with the client of Durable Functions for Python, `azure-functions-durable` 1.x, as a function would.

Argument: where the management API stands. The host must run `function-manifests/durable-model.toml`.

This client writes every payload as JSON inside a JSON string, and expects it back like that: a host that stores what it
gets passes, one that unwraps does not.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import azure.functions as func
from azure.durable_functions import DurableOrchestrationClient, EntityId, OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus
from azure.durable_functions.models.utils import http_utils

from checks import COULD_NOT_RUN, CouldNotRun, Deadline, Failed, Report, base_url, expect, expect_equal

Status = OrchestrationRuntimeStatus
ENDED = {Status.Completed, Status.Failed, Status.Terminated, Status.Canceled}

# Nobody waits so long for the end of an instance that takes milliseconds; the client looks again every so often.
WAIT = {"timeout_in_milliseconds": 60_000, "retry_interval_in_milliseconds": 5}


def binding(base: str) -> str:
    """What a function with a durable client binding gets from its host."""
    instance = f"{base}/instances/INSTANCEID"
    return json.dumps(
        {
            "taskHubName": "",
            "creationUrls": {
                "createNewInstancePostUri": f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]",
                "createAndWaitOnNewInstancePostUri": f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]"
                "?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}",
            },
            "managementUrls": {
                "id": "INSTANCEID",
                "statusQueryGetUri": instance,
                "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}",
                "terminatePostUri": f"{instance}/terminate?reason={{text}}",
                "rewindPostUri": f"{instance}/rewind?reason={{text}}",
                "purgeHistoryDeleteUri": instance,
                "restartPostUri": f"{instance}/restart",
                "suspendPostUri": f"{instance}/suspend?reason={{text}}",
                "resumePostUri": f"{instance}/resume?reason={{text}}",
            },
            "baseUrl": base,
            "requiredQueryStringParameters": "",
            "rpcBaseUrl": f"{base}/",
        }
    )


def check(method: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Marks a method of `Checks` as one that is run."""
    method.is_check = True  # type: ignore[attr-defined]
    return method


async def refused(what: str, call: Awaitable[Any], *words: str) -> None:
    """The client raises, and says these words."""
    try:
        answer = await call
    except Exception as error:
        missing = [word for word in words if word.lower() not in str(error).lower()]
        expect(not missing, f"{what}: the error does not say {missing}: {error}")
    else:
        raise Failed(f"{what}: expected an error, got {answer!r}")


class Checks:
    """The checks are run in the order in which they stand here. They share a host and nothing else."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.client = DurableOrchestrationClient(binding(base))
        # Ids of this run, so that it can be repeated on the same host.
        self.run = f"py-{secrets.token_hex(4)}"

    def own_id(self, name: str) -> str:
        return f"{self.run}-{name}"

    def request(self, body: bytes = b"") -> func.HttpRequest:
        return func.HttpRequest(method="POST", url=f"{self.base}/", body=body)

    async def until(self, instance_id: str, wanted: Collection[Status], **shown: bool) -> DurableOrchestrationStatus:
        deadline = Deadline(f"{instance_id} is one of {sorted(status.name for status in wanted)}")
        while True:
            status = await self.client.get_status(instance_id, **shown)
            if status and status.runtime_status in wanted:
                return status
            deadline.check(status.to_json())

    async def ended(self, instance_id: str, expected: Status, **shown: bool) -> DurableOrchestrationStatus:
        status = await self.until(instance_id, ENDED, **shown)
        expect_equal(f"the status of {instance_id} ({status.output!r})", status.runtime_status, expected)
        return status

    async def waiting(self, name: str, value: Any = None) -> str:
        """An instance that runs until it is approved."""
        instance_id = await self.client.start_new("WaitForApproval", self.own_id(name), value)
        await self.until(instance_id, {Status.Running})
        return instance_id

    async def echoed(self, value: Any, name: str | None = None) -> DurableOrchestrationStatus:
        instance_id = await self.client.start_new("Echo", self.own_id(name) if name else None, value)
        return await self.ended(instance_id, Status.Completed, show_input=True)

    # Start.

    @check
    async def start_with_a_new_id(self) -> None:
        first, second = [await self.client.start_new("Echo", client_input=value) for value in (1, 2)]
        for instance_id in (first, second):
            expect(re.fullmatch("[0-9a-f]{32}", instance_id) is not None, f"{instance_id!r} is not 32 hex digits")
        expect(first != second, "two instances have the same id")

    @check
    async def start_with_an_id(self) -> None:
        wanted = self.own_id("Own Id, é")
        expect_equal("the id", await self.client.start_new("Echo", wanted), wanted)
        status = await self.ended(wanted, Status.Completed)
        expect_equal("the id in the status", status.instance_id, wanted)

    @check
    async def start_compares_names_without_case(self) -> None:
        status = await self.ended(await self.client.start_new("eCHO", client_input=1), Status.Completed)
        expect_equal("the name in the status", status.name, "Echo")

    @check
    async def payloads_come_back_as_they_were_sent(self) -> None:
        values: list[Any] = [0, -1.5, "", 'é " \\ \n 💧', False, True, [], [1, [2]], {}, {"a": {"b": None}}, "null"]
        for value in values:
            status = await self.echoed(value)
            expect(isinstance(status.output, str), f"{value!r} came back as {status.output!r}, not as a string")
            expect_equal("the output", json.loads(status.output), value)
            expect_equal("the input", status.input_, status.output)

    @check
    async def no_input_is_null(self) -> None:
        status = await self.echoed(None)
        expect_equal("the output", status.output, None)

    @check
    async def start_of_an_unknown_orchestrator(self) -> None:
        await refused("start", self.client.start_new("NoSuchOrchestrator"), "NoSuchOrchestrator")

    @check
    async def start_with_a_forbidden_id(self) -> None:
        for forbidden in ("@counter@a", "a%2Fb", "a%23b", "a%3Fb", "a%5Cb", "a%01b", "x" * 257):
            await refused(f"start as {forbidden}", self.client.start_new("Echo", forbidden))

    @check
    async def start_with_the_id_of_one_at_work(self) -> None:
        instance_id = await self.waiting("taken")
        await refused("a second start", self.client.start_new("Echo", instance_id), "already exists")
        status = await self.client.get_status(instance_id)
        expect_equal(
            "what runs under the id", (status.name, status.runtime_status), ("WaitForApproval", Status.Running)
        )

    @check
    async def start_with_the_id_of_one_that_ended(self) -> None:
        await self.echoed(1, "again")
        status = await self.echoed(2, "again")
        expect_equal("the output", status.output, "2")

    # Look.

    @check
    async def status_of_one_that_runs(self) -> None:
        before = datetime.now(UTC) - timedelta(seconds=2)
        instance_id = await self.waiting("look", {"who": "Ada"})
        status = await self.client.get_status(instance_id, show_input=True)
        expect_equal("the name", status.name, "WaitForApproval")
        expect_equal("the input", json.loads(status.input_), {"who": "Ada"})
        expect_equal("the output", status.output, None)
        expect(
            before <= status.created_time <= status.last_updated_time <= datetime.now(UTC) + timedelta(seconds=2),
            f"created {status.created_time}, updated {status.last_updated_time}, asked from {before}",
        )

    @check
    async def status_with_history(self) -> None:
        instance_id = (await self.echoed({"a": 1})).instance_id
        plain = await self.client.get_status(instance_id)
        expect(not hasattr(plain, "historyEvents"), "a history that nobody asked for")
        for results in (False, True):
            status = await self.client.get_status(instance_id, show_history=True, show_history_output=results)
            events = status.historyEvents
            types = [event["EventType"] for event in events]
            expect_equal("the events", types, ["ExecutionStarted", "ExecutionCompleted"])
            expect_equal("the function's name", events[0]["FunctionName"], "Echo")
            expect_equal("the end", events[1]["OrchestrationStatus"], "Completed")
            expect_equal("the result", events[1].get("Result"), '{"a": 1}' if results else None)

    @check
    async def status_of_an_unknown_one(self) -> None:
        expect(not await self.client.get_status(self.own_id("nobody")), "there is a status of nobody")

    @check
    async def list_of_all(self) -> None:
        ids = {(await self.echoed(n, f"all-{n}")).instance_id for n in range(3)}
        listed = await self.client.get_status_all()
        missing = ids - {status.instance_id for status in listed}
        expect(not missing, f"not in the list: {missing}")
        expect(not any(status.instance_id.startswith("@") for status in listed), "entities are in the list")

    @check
    async def list_by_conditions(self) -> None:
        start = datetime.now(UTC) - timedelta(seconds=2)
        done = (await self.echoed(1, "by-done")).instance_id
        running = await self.waiting("by-running")
        prefix = self.own_id("by-")
        hour = timedelta(hours=1)
        cases: list[tuple[dict[str, Any], set[str]]] = [
            ({}, {done, running}),
            ({"runtime_status": [Status.Completed]}, {done}),
            ({"runtime_status": [Status.Running, Status.Pending]}, {running}),
            ({"runtime_status": [Status.Running, Status.Completed]}, {done, running}),
            ({"runtime_status": [Status.Failed]}, set()),
            ({"created_time_from": start, "created_time_to": start + hour}, {done, running}),
            ({"created_time_from": start + hour}, set()),
            ({"created_time_to": start - hour}, set()),
        ]
        for conditions, expected in cases:
            found = await self.client.get_status_by(instance_id_prefix=prefix, **conditions)
            expect_equal(f"the list by {conditions}", {status.instance_id for status in found}, expected)

    # Events.

    @check
    async def raise_an_event(self) -> None:
        for name, data in (("Approval", {"by": "Grace"}), ("aPPROVAL", None), ("Approval", False)):
            instance_id = await self.waiting(f"event-{secrets.token_hex(2)}")
            await self.client.raise_event(instance_id, name, data)
            status = await self.ended(instance_id, Status.Completed)
            expect_equal("what came with the event", json.loads(status.output), data)

    @check
    async def raise_an_event_before_anyone_waits(self) -> None:
        instance_id = await self.client.start_new("WaitForApproval", self.own_id("early"))
        await self.client.raise_event(instance_id, "Approval", 1)
        await self.ended(instance_id, Status.Completed)

    @check
    async def raise_an_event_nobody_waits_for(self) -> None:
        instance_id = await self.waiting("other-event")
        await self.client.raise_event(instance_id, "Refusal", 1)
        await self.client.raise_event(instance_id, "Approval", 2)
        status = await self.ended(instance_id, Status.Completed)
        expect_equal("what came with the event", status.output, "2")

    @check
    async def raise_an_event_in_vain(self) -> None:
        unknown = self.client.raise_event(self.own_id("nobody"), "Approval", 1)
        await refused("an event for nobody", unknown, "no instance")
        instance_id = (await self.echoed(1)).instance_id
        await refused("an event for one that has ended", self.client.raise_event(instance_id, "Approval", 1), "gone")

    # Terminate, suspend, resume.

    @check
    async def terminate(self) -> None:
        instance_id = await self.waiting("terminated")
        await self.client.terminate(instance_id, 'it is "late" & é')
        status = await self.ended(instance_id, Status.Terminated)
        expect_equal("the output", status.output, 'it is "late" & é')
        # 410 is fine with this client.
        await self.client.terminate(instance_id, "again")
        expect_equal("the output afterwards", (await self.client.get_status(instance_id)).output, status.output)
        await refused("terminating nobody", self.client.terminate(self.own_id("nobody"), "why"), "no instance")

    @check
    async def suspend_and_resume(self) -> None:
        instance_id = await self.waiting("suspended")
        await self.client.suspend(instance_id, "a break")
        await self.until(instance_id, {Status.Suspended})
        await self.client.raise_event(instance_id, "Approval", "in between")
        await self.recorded(instance_id, "EventRaised")
        status = await self.client.get_status(instance_id)
        expect_equal("the status after an event", status.runtime_status, Status.Suspended)
        await self.client.resume(instance_id, "go on")
        status = await self.ended(instance_id, Status.Completed)
        expect_equal("what came with the event", json.loads(status.output), "in between")

    async def recorded(self, instance_id: str, event_type: str) -> None:
        deadline = Deadline(f"{event_type} in the history of {instance_id}")
        while True:
            status = await self.client.get_status(instance_id, show_history=True)
            types = [event["EventType"] for event in status.historyEvents or []]
            if event_type in types:
                return
            deadline.check(types)

    @check
    async def terminate_while_suspended(self) -> None:
        instance_id = await self.waiting("suspended-terminated")
        await self.client.suspend(instance_id, "a break")
        await self.until(instance_id, {Status.Suspended})
        await self.client.terminate(instance_id, "enough")
        await self.ended(instance_id, Status.Terminated)

    @check
    async def suspend_and_resume_in_vain(self) -> None:
        instance_id = await self.waiting("suspended-twice")
        await refused("resuming one that runs", self.client.resume(instance_id, "why"), "500")
        await self.client.suspend(instance_id, "a break")
        await self.until(instance_id, {Status.Suspended})
        await refused("suspending it twice", self.client.suspend(instance_id, "why"), "500")
        ended = (await self.echoed(1)).instance_id
        # 410 is fine with this client.
        await self.client.suspend(ended, "why")
        await self.client.resume(ended, "why")
        await self.ended(ended, Status.Completed)
        for call in (self.client.suspend, self.client.resume):
            await refused(f"{call.__name__} of nobody", call(self.own_id("nobody"), "why"), "no instance")

    # Rewind and restart.

    @check
    async def rewind(self) -> None:
        instance_id = await self.client.start_new("FailOnce", self.own_id("rewound"), "x")
        status = await self.ended(instance_id, Status.Failed)
        expect(bool(status.output), f"the failure is {status.output!r}")
        await self.client.rewind(instance_id, "try again")
        await self.ended(instance_id, Status.Completed)
        await refused(
            "rewinding one that completed", self.client.rewind(instance_id, "why"), "only supported on failed"
        )

    @check
    async def rewind_in_vain(self) -> None:
        await refused("rewinding nobody", self.client.rewind(self.own_id("nobody"), "why"), "no instance")
        instance_id = await self.waiting("not-failed")
        await refused("rewinding one that runs", self.client.rewind(instance_id, "why"))
        status = await self.client.get_status(instance_id)
        expect_equal("the status afterwards", status.runtime_status, Status.Running)

    @check
    async def restart_with_a_new_id(self) -> None:
        first = await self.echoed({"a": 1}, "restarted")
        # This client answers the whole payload.
        payload: Any = await self.client.restart(first.instance_id)
        expect(payload["id"] != first.instance_id, "the same id")
        second = await self.ended(payload["id"], Status.Completed, show_input=True)
        expect_equal(
            "the second run", (second.name, second.input_, second.output), ("Echo", first.input_, first.output)
        )

    @check
    async def restart_with_the_same_id(self) -> None:
        instance_id = (await self.echoed([1], "same")).instance_id
        payload: Any = await self.client.restart(instance_id, restart_with_new_instance_id=False)
        expect_equal("the id", payload["id"], instance_id)
        status = await self.ended(instance_id, Status.Completed)
        expect_equal("the output", status.output, "[1]")

    @check
    async def restart_in_vain(self) -> None:
        await refused("restarting nobody", self.client.restart(self.own_id("nobody")), "400")
        instance_id = await self.waiting("not-ended")
        again = self.client.restart(instance_id, restart_with_new_instance_id=False)
        await refused("restarting one at work under its id", again, "500")

    # Wait.

    @check
    async def wait_for_completion(self) -> None:
        client, request = self.client, self.request()
        completed = (await self.echoed({"a": 1})).instance_id
        answer = await client.wait_for_completion_or_create_check_status_response(request, completed, **WAIT)
        # The client writes an output that is text as it is.
        expect_equal("completed", (answer.status_code, json.loads(answer.get_body())), (200, {"a": 1}))
        failed = await client.start_new("FailOnce", self.own_id("wait-failed"))
        answer = await client.wait_for_completion_or_create_check_status_response(request, failed, **WAIT)
        body = json.loads(answer.get_body())
        expect_equal("failed", (answer.status_code, body["runtimeStatus"]), (500, "Failed"))
        terminated = await self.waiting("wait-terminated")
        await client.terminate(terminated, "enough")
        answer = await client.wait_for_completion_or_create_check_status_response(request, terminated, **WAIT)
        body = json.loads(answer.get_body())
        expect_equal("terminated", (answer.status_code, body["output"]), (200, "enough"))

    @check
    async def wait_in_vain_for_the_check_status_response(self) -> None:
        instance_id = await self.waiting("wait-longer")
        answer = await self.client.wait_for_completion_or_create_check_status_response(
            self.request(), instance_id, timeout_in_milliseconds=20, retry_interval_in_milliseconds=5
        )
        uris = json.loads(answer.get_body())
        expect_equal("the answer", (answer.status_code, uris["id"]), (202, instance_id))
        expect_equal("Location", answer.headers["Location"], uris["statusQueryGetUri"])
        await self.follow(uris, instance_id)

    async def follow(self, uris: dict[str, str], instance_id: str) -> None:
        """From the status to the purge by the URIs that the client makes."""
        async with aiohttp.ClientSession() as session:

            async def call(method: str, uri: str, **filled_in: str) -> int:
                for name, value in filled_in.items():
                    uri = uri.replace(f"{{{name}}}", value)
                async with session.request(method, uri, json=None if method == "GET" else {}) as answer:
                    await answer.read()
                    return answer.status

            expect_equal("status", await call("GET", uris["statusQueryGetUri"]), 202)
            expect_equal("suspend", await call("POST", uris["suspendPostUri"], text="why"), 202)
            await self.until(instance_id, {Status.Suspended})
            expect_equal("resume", await call("POST", uris["resumePostUri"], text="why"), 202)
            await self.until(instance_id, {Status.Running})
            expect_equal("event", await call("POST", uris["sendEventPostUri"], eventName="Approval"), 202)
            await self.ended(instance_id, Status.Completed)
            expect_equal("status of the end", await call("GET", uris["statusQueryGetUri"]), 200)
            expect_equal("terminate", await call("POST", uris["terminatePostUri"], text="late"), 410)
            expect_equal("rewind", await call("POST", uris["rewindPostUri"], text="why"), 410)
            expect_equal("restart", await call("POST", uris["restartPostUri"]), 202)
            expect_equal("purge", await call("DELETE", uris["purgeHistoryDeleteUri"]), 200)
            expect_equal("purge again", await call("DELETE", uris["purgeHistoryDeleteUri"]), 404)

    # Entities.

    async def entity_state(self, entity: EntityId, exists: bool, state: Any = None) -> None:
        deadline = Deadline(f"{entity}: exists {exists}, state {state!r}")
        while True:
            answer = await self.client.read_entity_state(entity)
            if (answer.entity_exists, answer.entity_state) == (exists, state):
                return
            deadline.check((answer.entity_exists, answer.entity_state))

    @check
    async def signal_and_read_an_entity(self) -> None:
        entity = EntityId("Counter", self.own_id("counter"))
        await self.entity_state(entity, exists=False)
        await self.client.signal_entity(entity, "add", 5)
        await self.entity_state(entity, exists=True, state={"value": 5})
        await self.client.signal_entity(EntityId("COUNTER", entity.key), "add", 2)
        await self.entity_state(entity, exists=True, state={"value": 7})
        await self.client.signal_entity(entity, "reset")
        await self.entity_state(entity, exists=True, state={"value": 0})
        await self.client.signal_entity(entity, "delete")
        await self.entity_state(entity, exists=False)

    @check
    async def signals_are_done_in_order(self) -> None:
        entity = EntityId("Counter", self.own_id("in-order"))
        for operation in ("add", "reset", "add", "add"):
            await self.client.signal_entity(entity, operation, 10 if operation == "add" else None)
        await self.entity_state(entity, exists=True, state={"value": 20})

    @check
    async def signal_an_unknown_entity(self) -> None:
        entity = EntityId("NoSuchEntity", "a")
        await refused("a signal", self.client.signal_entity(entity, "add", 1), "400")
        await self.entity_state(entity, exists=False)

    # Purge; last, because it takes what others left.

    @check
    async def purge(self) -> None:
        instance_id = (await self.echoed(1)).instance_id
        expect_equal("purged", (await self.client.purge_instance_history(instance_id)).instances_deleted, 1)
        expect(not await self.client.get_status(instance_id), "it is still there")
        expect_equal("purged again", (await self.client.purge_instance_history(instance_id)).instances_deleted, 0)

    @check
    async def purge_spares_one_at_work(self) -> None:
        instance_id = await self.waiting("spared")
        expect_equal("purged", (await self.client.purge_instance_history(instance_id)).instances_deleted, 0)
        status = await self.client.get_status(instance_id)
        expect_equal("the status", status.runtime_status, Status.Running)

    @check
    async def purge_by_conditions(self) -> None:
        client, start = self.client, datetime.now(UTC) - timedelta(seconds=2)
        running = await self.waiting("purge-running")
        terminated = await self.waiting("purge-terminated")
        await client.terminate(terminated, "enough")
        await self.ended(terminated, Status.Terminated)
        completed = (await self.echoed(1)).instance_id
        future = await client.purge_instance_history_by(start + timedelta(hours=1))
        expect_equal("purged of the future", future.instances_deleted, 0)
        window = (start, start + timedelta(hours=1))
        some = await client.purge_instance_history_by(*window, [Status.Terminated])
        expect(some.instances_deleted >= 1, "nothing was purged")
        expect(not await client.get_status(terminated), "the terminated one is still there")
        expect(bool(await client.get_status(completed)), "the completed one is gone too")
        rest = await client.purge_instance_history_by(start)
        expect(rest.instances_deleted >= 1, "nothing was purged")
        expect(not await client.get_status(completed), "the completed one is still there")
        expect(bool(await client.get_status(running)), "the running one is gone too")

    @check
    async def clean_up(self) -> None:
        """Ends what was left running. Whoever was told that it is running believes it."""
        unfinished = [Status.Running, Status.Pending, Status.Suspended]
        for status in await self.client.get_status_by(instance_id_prefix=self.run, runtime_status=unfinished):
            await self.client.terminate(status.instance_id, "the test is over")
            await self.ended(status.instance_id, Status.Terminated)


def all_of(checks: Checks) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
    names = [name for name, method in vars(Checks).items() if getattr(method, "is_check", False)]
    return [(name.replace("_", " "), getattr(checks, name)) for name in names]


async def reach(base: str) -> None:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{base}/instances?top=1") as answer:
            await answer.read()
            if answer.status != 200:
                raise CouldNotRun(f"{base}/instances answers {answer.status}; is that where the management API stands?")
    except aiohttp.ClientError as error:
        raise CouldNotRun(f"{base} cannot be reached: {error}") from error


async def main(base: str) -> int:
    await reach(base)
    report = Report()
    try:
        for name, check in all_of(Checks(base)):
            await report.run(name, check)
    finally:
        await http_utils._close_session()  # The client has no public way to do it.
    return report.exit_code()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(base_url(sys.argv))))
    except CouldNotRun as why:
        print(why, file=sys.stderr)
        sys.exit(COULD_NOT_RUN)
