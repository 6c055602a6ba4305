// The Table service, with @azure/data-tables.

import { AzureNamedKeyCredential, TableClient, TableServiceClient, TableTransaction, odata } from "@azure/data-tables";
import { all, connectionString, nothing, run, step } from "./transcript.mjs";

const connection = connectionString();
const options = { allowInsecureConnection: true, retryOptions: { maxRetries: 0 } };
const service = TableServiceClient.fromConnectionString(connection, options);
const table = (name) => TableClient.fromConnectionString(connection, name, options);
const keys = (found) => found.map((e) => [e.partitionKey, e.rowKey]);
const plain = ({ etag, timestamp, ...rest }) => {
  const { "odata.metadata": _metadata, ...entity } = rest;
  return Object.fromEntries(Object.entries(entity).sort().map(([name, value]) => [name, show(value)]));
};
const show = (value) => {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (value instanceof Date) return value.toISOString();
  return value;
};
const dropAll = async () => {
  for (const old of await all(service.listTables())) await service.deleteTable(old.name);
};

async function tables() {
  await dropAll();
  const t = table("First");
  await step("create", () => t.createTable(), nothing);
  // The client keeps quiet about a table that is there.
  await step("create again", () => t.createTable(), nothing);
  for (const name of ["ab", "1st", "with-hyphen"]) await step(`create '${name}'`, () => service.createTable(name));
  for (const name of ["Alpha", "beta"]) await service.createTable(name);
  await step("list", () => all(service.listTables()), (found) => found.map((f) => f.name).sort());
  await step("query", () => all(service.listTables({ queryOptions: { filter: odata`TableName eq ${"beta"}` } })), (found) => found.map((f) => f.name));
  await step("delete", () => service.deleteTable("beta"), nothing);
  await step("delete again", () => service.deleteTable("beta"), nothing);
  await step("insert into no table", () => table("Nobody").createEntity({ partitionKey: "p", rowKey: "r" }));
  const policy = { start: new Date(Date.UTC(2026, 0)), expiry: new Date(Date.UTC(2027, 0)), permission: "r" };
  await step("set access policy", () => t.setAccessPolicy([{ id: "readers", accessPolicy: policy }]), nothing);
  await step("access policy", () => t.getAccessPolicy(), (found) => found.map((p) => [p.id, p.accessPolicy.permission]));
}

async function entities() {
  const t = table("Entities");
  await t.createTable();
  const everything = {
    partitionKey: "p",
    rowKey: "it's / not".replace("/", "one"),
    text: "zwölf 🚂 'quoted'",
    yes: true,
    small: 7,
    half: 1.5,
    large: 1099511627776n,
    moment: new Date(Date.UTC(2026, 10, 22, 10, 30)),
    guid: { type: "Guid", value: "01234567-89ab-cdef-0123-456789abcdef" },
    bytes: new Uint8Array([0, 255]),
  };
  await step("insert", () => t.createEntity(everything), (r) => typeof r.etag);
  await step("insert again", () => t.createEntity(everything));
  await step("all types come back", () => t.getEntity("p", everything.rowKey), plain);
  await step("select", () => t.getEntity("p", everything.rowKey, { queryOptions: { select: ["small", "text"] } }), plain);
  const key = { partitionKey: "p", rowKey: "r" };
  await step("upsert", () => t.upsertEntity({ ...key, a: 1 }), nothing);
  await step("merge", () => t.updateEntity({ ...key, b: 2 }, "Merge"), nothing);
  await step("after merge", () => t.getEntity("p", "r"), plain);
  await step("replace", () => t.updateEntity({ ...key, c: 3 }, "Replace"), nothing);
  await step("after replace", () => t.getEntity("p", "r"), plain);
  const old = await t.getEntity("p", "r");
  await t.upsertEntity({ ...key, d: 4 });
  await step("update with the old etag", () => t.updateEntity({ ...key, e: 5 }, "Merge", { etag: old.etag }));
  await step("delete with the old etag", () => t.deleteEntity("p", "r", { etag: old.etag }));
  await step("update a missing one", () => t.updateEntity({ partitionKey: "p", rowKey: "missing" }));
  await step("get a missing one", () => t.getEntity("p", "missing"));
  await step("delete", () => t.deleteEntity("p", "r"), nothing);
  await step("delete again", () => t.deleteEntity("p", "r"));
}

async function queries() {
  const t = table("Queries");
  await t.createTable();
  for (let n = 0; n < 5; n += 1) await t.createEntity({ partitionKey: "p", rowKey: `${n}`, n, name: `it's ${n}`, even: n % 2 === 0 });
  const filters = [odata`n gt ${2}`, odata`name eq ${"it's 3"}`, "even eq true and not (n eq 0)", "RowKey lt '2' or n eq 4", odata`n eq ${3n}`];
  for (const filter of filters) await step(filter, () => all(t.listEntities({ queryOptions: { filter } })), keys);
  await step("wrong", () => all(t.listEntities({ queryOptions: { filter: "n is 3" } })));
  await step("pages of 2", () => all(t.listEntities().byPage({ maxPageSize: 2 })), (pages) => pages.map(keys));
  const first = await t.listEntities().byPage({ maxPageSize: 2 }).next();
  const token = first.value.continuationToken;
  await step("going on from a token", () => t.listEntities().byPage({ maxPageSize: 2, continuationToken: token }).next(), (r) => keys(r.value));
}

async function batches() {
  const t = table("Batches");
  await t.createTable();
  await t.createEntity({ partitionKey: "p", rowKey: "there" });
  const e = (rowKey, more = {}) => ({ partitionKey: "p", rowKey, ...more });
  const all4 = new TableTransaction();
  all4.createEntity(e("c"));
  all4.upsertEntity(e("u", { n: 1 }));
  all4.updateEntity(e("there", { n: 2 }));
  await step("all kinds", () => t.submitTransaction(all4.actions), (r) => [r.status, r.subResponses.map((s) => s.status)]);
  await step("deletion", () => t.submitTransaction([["delete", e("c")]]), (r) => r.subResponses.map((s) => s.status));
  await step("one exists", () => t.submitTransaction([["create", e("new")], ["create", e("there")]]));
  await step("nothing of it is there", () => t.getEntity("p", "new"));
  await step("100 operations", () => t.submitTransaction([...Array(100).keys()].map((n) => ["upsert", e(`${n}`)])), (r) => r.subResponses.length);
}

async function properties() {
  await step("service properties", () => service.getProperties(), (p) => Object.keys(p).filter((k) => ["logging", "hourMetrics", "minuteMetrics"].includes(k)).sort());
  const wrong = new TableServiceClient(service.url, new AzureNamedKeyCredential("devstoreaccount1", "d3Jvbmc="), options);
  await step("a wrong key", () => all(wrong.listTables()));
}

await run([tables, entities, queries, batches, properties]);
await dropAll();
