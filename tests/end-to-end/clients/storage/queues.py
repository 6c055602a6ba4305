"""Every operation and error of the Queue service, with azure-storage-queue."""

import datetime
import time

from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.queue import (
    AccessPolicy,
    CorsRule,
    QueueAnalyticsLogging,
    QueueClient,
    QueueSasPermissions,
    QueueServiceClient,
    TextBase64DecodePolicy,
    TextBase64EncodePolicy,
)

from transcript import connection_string, step

CONNECTION = connection_string()
SERVICE = QueueServiceClient.from_connection_string(CONNECTION, retry_total=0)


def queue(name, **options):
    return QueueClient.from_connection_string(CONNECTION, name, retry_total=0, **options)


def message(m):
    """What of a message is the same each time."""
    if m is None:
        return "none"
    shown = [repr(m.content), f"dequeued {m.dequeue_count}"]
    if m.inserted_on and m.expires_on:
        seconds = round((m.expires_on - m.inserted_on).total_seconds())
        shown.append(f"lives {seconds} s" if seconds < 10**10 else "lives for ever")
    shown.append("receipt" if m.pop_receipt else "no receipt")
    return ", ".join(shown)


def contents(messages):
    return sorted(m.content for m in messages)


def queues():
    for old in list(SERVICE.list_queues()):
        SERVICE.delete_queue(old.name)
    q = queue("first-queue")
    step("create", lambda: q.create_queue(metadata={"owner": "me", "Case": "Kept"}), lambda _: None)
    step("create again, same metadata", lambda: q.create_queue(metadata={"owner": "me", "Case": "Kept"}))
    step("create again, other metadata", lambda: q.create_queue(metadata={"owner": "you"}))
    step("properties", q.get_queue_properties, lambda p: (sorted(p.metadata.items()), p.approximate_message_count))
    step("set metadata", lambda: q.set_queue_metadata({"a": "1"}), lambda _: None)
    step("properties then", q.get_queue_properties, lambda p: sorted(p.metadata.items()))
    for name in ["ab", "a" * 64, "Upper", "two--hyphens", "-begins", "ends-", "under_score"]:
        step(f"create {name[:12]!r}", lambda name=name: queue(name).create_queue())
    nobody = queue("nobody")
    step("properties of no queue", nobody.get_queue_properties)
    step("set metadata of no queue", lambda: nobody.set_queue_metadata({"a": "1"}))
    step("delete no queue", nobody.delete_queue)
    step("send to no queue", lambda: nobody.send_message("x"))
    step("receive from no queue", nobody.receive_message)
    step("peek into no queue", nobody.peek_messages)
    step("clear no queue", nobody.clear_messages)
    policy = AccessPolicy(
        permission=QueueSasPermissions(read=True, process=True),
        start=datetime.datetime(2026, 1, 1),
        expiry=datetime.datetime(2027, 1, 1),
    )
    step("set access policy", lambda: q.set_queue_access_policy({"readers": policy}), lambda _: None)
    step(
        "access policy",
        q.get_queue_access_policy,
        lambda found: [(name, p.permission) for name, p in found.items()],
    )
    step("access policy of no queue", nobody.get_queue_access_policy)
    for name in ["list-a", "list-b", "list-c", "other-d"]:
        SERVICE.create_queue(name, metadata={"n": name})
    step("list", lambda: [q.name for q in SERVICE.list_queues()])
    step("list by prefix", lambda: [q.name for q in SERVICE.list_queues(name_starts_with="list-")])
    step("list by pages of 2", lambda: [[q.name for q in p] for p in SERVICE.list_queues(results_per_page=2).by_page()])
    step(
        "list with metadata",
        lambda: [(q.name, q.metadata) for q in SERVICE.list_queues(name_starts_with="list-", include_metadata=True)],
    )
    step("list with a wrong marker", lambda: list(SERVICE.list_queues().by_page("nonsense")), lambda _: "accepted")
    step("delete", lambda: SERVICE.delete_queue("other-d"))
    step("delete again", lambda: SERVICE.delete_queue("other-d"))
    for name in ["list-a", "list-b", "list-c"]:
        SERVICE.delete_queue(name)


def messages():
    q = queue("messages")
    q.create_queue()
    sent = step("send", lambda: q.send_message("hello"), message)
    step("peek", lambda: q.peek_messages(), lambda ms: [message(m) for m in ms])
    got = step("receive", lambda: q.receive_message(visibility_timeout=30), message)
    step("same id", lambda: sent.id == got.id)
    step("receive hidden ones", q.receive_message, message)
    step("peek at hidden ones", q.peek_messages, len)
    step("count with hidden", lambda: q.get_queue_properties().approximate_message_count)
    changed = step("update", lambda: q.update_message(got, content="changed", visibility_timeout=0), message)
    step("the receipt is another one", lambda: changed.pop_receipt != got.pop_receipt)
    step("update with the old receipt", lambda: q.update_message(got.id, got.pop_receipt, visibility_timeout=0))
    step("delete with the old receipt", lambda: q.delete_message(got.id, got.pop_receipt))
    again = step("receive again", q.receive_message, message)
    step("update without content", lambda: q.update_message(again, visibility_timeout=60), message)
    step("delete with that old receipt", lambda: q.delete_message(again.id, again.pop_receipt))
    q.clear_messages()
    m = q.send_message("with its first receipt")
    step("update by the receipt of sending", lambda: q.update_message(m, visibility_timeout=0), message)
    r = q.receive_message()
    step("delete", lambda: q.delete_message(r))
    step("delete again", lambda: q.delete_message(r))
    step("update a deleted one", lambda: q.update_message(r, visibility_timeout=0))
    step("delete one that never was", lambda: q.delete_message("00000000-0000-0000-0000-000000000000", r.pop_receipt))
    step("delete with a receipt that is none", lambda: q.delete_message(r.id, "nonsense"))


def numbers():
    q = queue("numbers")
    q.create_queue()
    for i in range(40):
        q.send_message(f"m{i:02}")
    step("peek 32", lambda: q.peek_messages(max_messages=32), len)
    for count in [0, 33]:
        step(f"peek {count}", lambda count=count: q.peek_messages(max_messages=count))
    step("receive 32 and the rest", lambda: [len(list(p)) for p in q.receive_messages(messages_per_page=32).by_page()])
    step("count", lambda: q.get_queue_properties().approximate_message_count)
    q.clear_messages()
    step("count after clear", lambda: q.get_queue_properties().approximate_message_count)
    for seconds in [0, 604801, -1]:
        step(f"receive for {seconds} s", lambda s=seconds: q.receive_message(visibility_timeout=s), message)
    for seconds in [0, 604800, 604801, -1]:
        step(f"send hidden for {seconds} s", lambda s=seconds: q.send_message("x", visibility_timeout=s, time_to_live=-1), message)
    for seconds in [1, -1, 0, -2, 2**31 - 1]:
        step(f"send to live {seconds} s", lambda s=seconds: q.send_message("x", time_to_live=s), lambda m: "accepted")
    step("send hidden for longer than it lives", lambda: q.send_message("x", visibility_timeout=10, time_to_live=10))
    q.clear_messages()
    step("the largest message", lambda: len(q.send_message("x" * 65536).content))
    step("a larger one", lambda: q.send_message("x" * 65537))
    step("escapes count", lambda: q.send_message("<" * 65536), lambda _: "accepted")
    q.clear_messages()


def texts():
    q = queue("texts")
    q.create_queue()
    for text in ["", " spaces ", "<a href='x'>&amp;</a>", "zwölf 🚂", "line\nbreak", "{\"a\":[1,2]}", "]]>"]:
        q.send_message(text)
        m = q.receive_message()
        step(f"text {text!r} comes back", lambda: m.content == text)
        q.delete_message(m)
    b = queue("texts", message_encode_policy=TextBase64EncodePolicy(), message_decode_policy=TextBase64DecodePolicy())
    b.send_message("in base64")
    step("base64 as it is stored", lambda: q.peek_messages()[0].content)
    step("base64 decoded", lambda: b.receive_message().content)


def time_passes():
    q = queue("time-passes")
    q.create_queue()
    q.send_message("short", time_to_live=1)
    q.send_message("later", visibility_timeout=2)
    q.send_message("now")
    first = q.receive_message(visibility_timeout=1)
    step("of short, later and now the first", lambda: first.content in ("short", "now"))
    seen = set()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and seen != {"later", "now"}:
        for m in q.receive_messages(visibility_timeout=1):
            if m.content != "short":
                seen.add(m.content)
    step("what came back or became visible", lambda: sorted(seen))
    step("short has expired", lambda: "short" not in contents(q.peek_messages(max_messages=32)))


def service():
    step("service properties", SERVICE.get_service_properties, lambda p: sorted(p))
    rule = CorsRule(["http://example.com"], ["GET"], max_age_in_seconds=5)
    step("set service properties", lambda: SERVICE.set_service_properties(analytics_logging=QueueAnalyticsLogging(), cors=[rule]))
    step("they are kept", lambda: [c.allowed_origins for c in SERVICE.get_service_properties()["cors"]])
    step("set without cors", lambda: SERVICE.set_service_properties(cors=[]))
    step("no cors", lambda: SERVICE.get_service_properties()["cors"])


def protocol():
    q = queue("protocol")
    q.create_queue()
    seen = {}

    def keep(response):
        seen.update({name.lower(): value for name, value in response.http_response.headers.items()})

    step("ask", lambda: q.get_queue_properties(raw_response_hook=keep, client_request_id="my-own-id"), lambda _: None)
    step("headers that are there", lambda: [name for name in ("x-ms-request-id", "date", "x-ms-version") if name in seen])
    step("the client's id", lambda: seen.get("x-ms-client-request-id"))
    url = SERVICE.url.rstrip("/")
    wrong = AzureNamedKeyCredential(SERVICE.account_name, "d3Jvbmc=")
    step("a wrong key", lambda: QueueClient(url, "protocol", credential=wrong, retry_total=0).get_queue_properties())
    other = AzureNamedKeyCredential("somebody", "d3Jvbmc=")
    step("another account's key", lambda: QueueClient(url, "protocol", credential=other, retry_total=0).get_queue_properties())
    step("no key", lambda: QueueClient(url, "protocol", retry_total=0).get_queue_properties())


for part in (queues, messages, numbers, texts, time_passes, service, protocol):
    print(f"\n# {part.__name__}")
    part()
for old in list(SERVICE.list_queues()):
    SERVICE.delete_queue(old.name)
