"""Every operation and error of the Table service, with azure-data-tables."""

import datetime
import uuid

from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableAccessPolicy,
    TableClient,
    TableServiceClient,
    TableTransactionError,
    UpdateMode,
)

from transcript import code_of, connection_string, step

CONNECTION = connection_string()
SERVICE = TableServiceClient.from_connection_string(CONNECTION, retry_total=0)


def table(name):
    return TableClient.from_connection_string(CONNECTION, name, retry_total=0)


def entity(e):
    """Its properties without what is new each time."""
    return sorted((name, f"{type(value).__name__} {value!r}") for name, value in e.items())


def keys(entities):
    return [(e["PartitionKey"], e["RowKey"]) for e in entities]


def drop_all():
    for old in list(SERVICE.list_tables()):
        SERVICE.delete_table(old.name)


def tables():
    drop_all()
    t = table("First")
    step("create", t.create_table, lambda made: made.name)
    step("create again", t.create_table)
    step("create in another case", table("FIRST").create_table)
    step("create if needed", lambda: SERVICE.create_table_if_not_exists("First"), lambda _: None)
    for name in ["ab", "a" * 64, "1st", "with-hyphen", "tables"]:
        step(f"create {name[:12]!r}", lambda name=name: SERVICE.create_table(name))
    for name in ["Alpha", "beta", "Gamma"]:
        SERVICE.create_table(name)
    step("list", lambda: sorted((t.name for t in SERVICE.list_tables()), key=str.lower))
    step("list by pages of 2", lambda: [len(list(p)) for p in SERVICE.list_tables(results_per_page=2).by_page()])
    step("query", lambda: [t.name for t in SERVICE.query_tables("TableName eq 'beta'")])
    step("query a range", lambda: sorted(t.name for t in SERVICE.query_tables("TableName ge 'a' and TableName lt 'c'")))
    step("delete", lambda: SERVICE.delete_table("Gamma"))
    step("delete again", lambda: table("Gamma")._client.table.delete("Gamma"))
    nobody = table("Nobody")
    step("insert into no table", lambda: nobody.create_entity({"PartitionKey": "p", "RowKey": "r"}))
    step("get from no table", lambda: nobody.get_entity("p", "r"))
    step("query no table", lambda: list(nobody.list_entities()))
    policy = TableAccessPolicy(
        start=datetime.datetime(2026, 1, 1), expiry=datetime.datetime(2027, 1, 1), permission="r"
    )
    step("set access policy", lambda: t.set_table_access_policy({"readers": policy}), lambda _: None)
    step("access policy", t.get_table_access_policy, lambda found: [(n, p.permission) for n, p in found.items()])
    step("access policy of no table", nobody.get_table_access_policy)


def types():
    t = table("Types")
    t.create_table()
    everything = {
        "PartitionKey": "p",
        "RowKey": "r",
        "text": "zwölf 🚂 'quoted'",
        "empty": "",
        "yes": True,
        "small": 7,
        "large": EntityProperty(2**40, EdmType.INT64),
        "float": 1.5,
        "whole": 3.0,
        "moment": datetime.datetime(2026, 11, 22, 10, 30, 0, 123456, tzinfo=datetime.timezone.utc),
        "guid": uuid.UUID("01234567-89ab-cdef-0123-456789abcdef"),
        "bytes": b"\x00\xff",
        "nothing": None,
    }
    step("insert", lambda: t.create_entity(everything), lambda made: sorted(made))
    step("all types come back", lambda: t.get_entity("p", "r"), entity)
    step("with its metadata", lambda: sorted(t.get_entity("p", "r").metadata))
    step("select", lambda: t.get_entity("p", "r", select=["small", "text", "missing"]), entity)
    for name, value in [("inf", float("inf")), ("nan", float("nan")), ("minus", float("-inf"))]:
        t.upsert_entity({"PartitionKey": "p", "RowKey": name, "value": value})
        step(f"{name} comes back", lambda name=name: repr(t.get_entity("p", name)["value"]))


def writes():
    t = table("Writes")
    t.create_table()
    base = {"PartitionKey": "p", "RowKey": "r", "a": 1, "b": 2}
    step("insert", lambda: t.create_entity(base), lambda _: None)
    step("insert again", lambda: t.create_entity(base))
    step("merge", lambda: t.update_entity({"PartitionKey": "p", "RowKey": "r", "b": 3, "c": 4}, UpdateMode.MERGE), lambda _: None)
    step("after merge", lambda: t.get_entity("p", "r"), entity)
    step("replace", lambda: t.update_entity({"PartitionKey": "p", "RowKey": "r", "d": 5}, UpdateMode.REPLACE), lambda _: None)
    step("after replace", lambda: t.get_entity("p", "r"), entity)
    step("upsert merge", lambda: t.upsert_entity({"PartitionKey": "p", "RowKey": "r", "e": 6}), lambda _: None)
    step("upsert replace", lambda: t.upsert_entity({"PartitionKey": "p", "RowKey": "r", "f": 7}, UpdateMode.REPLACE), lambda _: None)
    step("after upserts", lambda: t.get_entity("p", "r"), entity)
    step("upsert a new one", lambda: t.upsert_entity({"PartitionKey": "p", "RowKey": "new"}), lambda _: None)
    missing = {"PartitionKey": "p", "RowKey": "missing"}
    step("update a missing one", lambda: t.update_entity(missing))
    step("delete a missing one", lambda: t.delete_entity("p", "missing"), lambda _: None)
    step("get a missing one", lambda: t.get_entity("p", "missing"))
    old = t.get_entity("p", "r")
    t.update_entity({"PartitionKey": "p", "RowKey": "r", "g": 8})
    now = t.get_entity("p", "r")
    step("the etag has changed", lambda: old.metadata["etag"] != now.metadata["etag"])
    unmodified = {"match_condition": MatchConditions.IfNotModified}
    step("update with the old etag", lambda: t.update_entity(old, etag=old.metadata["etag"], **unmodified))
    step("delete with the old etag", lambda: t.delete_entity(old, etag=old.metadata["etag"], **unmodified))
    step("update with the etag", lambda: t.update_entity(now, etag=now.metadata["etag"], **unmodified), lambda _: None)
    now = t.get_entity("p", "r")
    step("delete with the etag", lambda: t.delete_entity(now, etag=now.metadata["etag"], **unmodified))
    step("update what is deleted, with an etag", lambda: t.update_entity(now, etag=now.metadata["etag"], **unmodified))
    step("etags differ in a row of writes", lambda: len({t.upsert_entity({"PartitionKey": "e", "RowKey": "r", "n": n})["etag"] for n in range(20)}))


def limits():
    t = table("Limits")
    t.create_table()
    put = lambda **more: t.create_entity({"PartitionKey": "p", "RowKey": "r", **more})  # noqa: E731
    for key in ["/", "\\", "#", "?", "\t", "a\u0080"]:
        step(f"a key with {key!r}", lambda key=key: put(RowKey=key))
    for key in ["it's", "with space", "100%", "ümlaut 🚂", "a&b=c+d", "(x)", ""]:
        step(f"key {key!r}", lambda key=key: put(RowKey=key), lambda _: None)
        step(f"key {key!r} is found", lambda key=key: t.get_entity("p", key)["RowKey"] == key)
        step(f"key {key!r} is deleted", lambda key=key: t.delete_entity("p", key))
    step("a key of 512 characters", lambda: put(RowKey="k" * 512), lambda _: None)
    step("a key of 513 characters", lambda: put(RowKey="k" * 513))
    step("a text of 32 Ki characters", lambda: put(RowKey="t", text="x" * 32768), lambda _: None)
    step("a longer text", lambda: put(RowKey="u", text="x" * 32769))
    step("64 KiB of bytes", lambda: put(RowKey="b", data=b"x" * 65536), lambda _: None)
    step("more bytes", lambda: put(RowKey="c", data=b"x" * 65537))
    step("252 properties", lambda: put(RowKey="many", **{f"p{i}": i for i in range(252)}), lambda _: None)
    step("253 properties", lambda: put(RowKey="more", **{f"p{i}": i for i in range(253)}), lambda _: "accepted")
    step("an entity of more than 1 MiB", lambda: put(RowKey="big", **{f"p{i}": "x" * 32000 for i in range(17)}), lambda _: "accepted")
    step("a property with a bad name", lambda: put(RowKey="n", **{"with-hyphen": 1}), lambda _: "accepted")
    step("a property with a long name", lambda: put(RowKey="m", **{"n" * 256: 1}), lambda _: "accepted")
    step("no row key", lambda: t.create_entity({"PartitionKey": "p"}))


def queries():
    t = table("Queries")
    t.create_table()
    for partition in ["a", "b"]:
        for row in range(5):
            t.create_entity(
                {
                    "PartitionKey": partition,
                    "RowKey": f"{row}",
                    "number": row,
                    "large": EntityProperty(row * 2**33, EdmType.INT64),
                    "half": row / 2,
                    "even": row % 2 == 0,
                    "name": f"it's {row}",
                    "at": datetime.datetime(2026, 1, 1 + row, tzinfo=datetime.timezone.utc),
                    "id": uuid.UUID(int=row),
                    "data": bytes([row]),
                    **({"rare": "yes"} if row == 3 else {}),
                }
            )
    filters = [
        "PartitionKey eq 'a'",
        "PartitionKey eq 'a' and RowKey eq '3'",
        "PartitionKey eq 'a' and RowKey ge '3'",
        "PartitionKey gt 'a' and RowKey lt '2'",
        "number eq 3",
        "number ne 3 and PartitionKey eq 'a'",
        "number gt 2 and number le 4 and PartitionKey eq 'b'",
        "large ge 17179869184L and PartitionKey eq 'a'",
        "half eq 1.5",
        "half lt 1.0 and PartitionKey eq 'a'",
        "even eq true and PartitionKey eq 'a'",
        "even and PartitionKey eq 'a'",
        "not even and PartitionKey eq 'a'",
        "not (even eq true) and PartitionKey eq 'a'",
        "name eq 'it''s 3'",
        "at ge datetime'2026-01-04T00:00:00Z' and PartitionKey eq 'a'",
        "id eq guid'00000000-0000-0000-0000-000000000003'",
        "data eq X'03'",
        "data eq binary'03'",
        "rare eq 'yes'",
        "rare ne 'yes'",
        "missing eq 1",
        "number eq '3'",
        "PartitionKey eq 'a' or PartitionKey eq 'b' and RowKey eq '0'",
        "(PartitionKey eq 'a' or PartitionKey eq 'b') and RowKey eq '0'",
        "RowKey eq '1' or (number eq 2 and even eq true)",
        "'3' eq RowKey",
        "Timestamp gt datetime'2020-01-01T00:00:00Z' and RowKey eq '0'",
    ]
    for text in filters:
        step(text, lambda text=text: keys(t.query_entities(text)))
    for text in ["number eq", "number eq 3 and", "number is 3", "(number eq 3", "number eq 'open", "substringof('a', name)"]:
        step(f"the wrong filter {text}", lambda text=text: keys(t.query_entities(text)))
    step("parameters", lambda: keys(t.query_entities("name eq @n", parameters={"n": "it's 3"})))
    step("select", lambda: [entity(e) for e in t.query_entities("RowKey eq '3'", select=["number", "rare"])])
    step("pages of 3", lambda: [keys(p) for p in t.list_entities(results_per_page=3).by_page()])
    pages = t.query_entities("number ge 1", results_per_page=2).by_page()
    first = keys(next(pages))
    token = pages.continuation_token
    step("the first page", lambda: first)
    step("going on from a token", lambda: keys(next(t.query_entities("number ge 1", results_per_page=2).by_page(token))))
    step("top of 1001", lambda: len(keys(t.list_entities(results_per_page=1001))))


def many():
    t = table("Many")
    t.create_table()
    for start in range(0, 1200, 100):
        t.submit_transaction([("upsert", {"PartitionKey": "p", "RowKey": f"{i:05}"}) for i in range(start, start + 100)])
    step("1,200 rows come in pages", lambda: [len(list(p)) for p in t.list_entities().by_page()])
    step("in order", lambda: (lambda found: found == sorted(found))(keys(t.list_entities())))


def failed(call):
    """Which operation of a batch failed, and how."""
    try:
        call()
    except TableTransactionError as error:
        return f"operation {error.index}: {error.status_code} {code_of(error)}"
    return "went through"


def batches():
    t = table("Batches")
    t.create_table()
    e = lambda row, **more: {"PartitionKey": "p", "RowKey": row, **more}  # noqa: E731
    t.create_entity(e("there", a=1))
    step(
        "all kinds",
        lambda: t.submit_transaction(
            [
                ("create", e("c", n=1)),
                ("upsert", e("u", n=2)),
                ("update", e("there", b=2)),
                ("upsert", e("r", n=3), {"mode": UpdateMode.REPLACE}),
            ]
        ),
        len,
    )
    step("they are there", lambda: [(x["RowKey"], sorted(x)) for x in t.list_entities()])
    step("deletions", lambda: t.submit_transaction([("delete", e("c")), ("delete", e("u"))]), len)
    step("one exists", lambda: failed(lambda: t.submit_transaction([("create", e("new")), ("create", e("there"))])))
    step("nothing of it is there", lambda: t.get_entity("p", "new"))
    step("one is missing", lambda: failed(lambda: t.submit_transaction([("upsert", e("new")), ("update", e("missing"))])))
    old = t.get_entity("p", "there")
    t.upsert_entity(e("there", z=1))
    stale = {"etag": old.metadata["etag"], "match_condition": MatchConditions.IfNotModified}
    step("one is stale", lambda: failed(lambda: t.submit_transaction([("upsert", e("new")), ("update", e("there"), stale)])))
    step("one row twice", lambda: failed(lambda: t.submit_transaction([("upsert", e("x")), ("upsert", e("x"))])))
    other = {"PartitionKey": "q", "RowKey": "x"}
    step("two partitions", lambda: failed(lambda: t.submit_transaction([("upsert", e("x")), ("upsert", other)])))
    step("100 operations", lambda: t.submit_transaction([("upsert", e(f"{i}")) for i in range(100)]), len)
    step("101 operations", lambda: failed(lambda: t.submit_transaction([("upsert", e(f"{i}")) for i in range(101)])))
    big = [("upsert", e(f"{i}", **{f"p{j}": "x" * 32000 for j in range(12)})) for i in range(12)]
    step("more than 4 MiB", lambda: failed(lambda: t.submit_transaction(big)))
    step("keys with quotes", lambda: t.submit_transaction([("upsert", e("it's")), ("delete", e("there"))]), len)
    nobody = table("Nobody")
    step("into no table", lambda: failed(lambda: nobody.submit_transaction([("upsert", e("x"))])))


def service():
    step("service properties", SERVICE.get_service_properties, lambda p: sorted(p))
    step("set service properties", lambda: SERVICE.set_service_properties(cors=[]))
    url = SERVICE.url
    wrong = AzureNamedKeyCredential(SERVICE.account_name, "d3Jvbmc=")
    step("a wrong key", lambda: list(TableServiceClient(url, credential=wrong, retry_total=0).list_tables()))
    other = AzureNamedKeyCredential("somebody", "d3Jvbmc=")
    step("another account's key", lambda: list(TableServiceClient(url, credential=other, retry_total=0).list_tables()))


for part in (tables, types, writes, limits, queries, many, batches, service):
    print(f"\n# {part.__name__}")
    part()
drop_all()
