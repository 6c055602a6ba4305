// The Queue service, with @azure/storage-queue.

import { QueueServiceClient, StorageSharedKeyCredential } from "@azure/storage-queue";
import { all, connectionString, nothing, run, step } from "./transcript.mjs";

const options = { retryOptions: { maxTries: 1 } };
const connection = connectionString();
const service = QueueServiceClient.fromConnectionString(connection, options);
const queue = (name) => service.getQueueClient(name);

const dropAll = async () => {
  for (const old of await all(service.listQueues())) await service.deleteQueue(old.name);
};
const received = (m) => [m.messageText, m.dequeueCount];

async function queues() {
  await dropAll();
  const q = queue("first-queue");
  await step("create", () => q.create({ metadata: { owner: "me" } }), nothing);
  await step("create again, same metadata", () => q.create({ metadata: { owner: "me" } }), (r) => r._response.status);
  await step("create again, other metadata", () => q.create({ metadata: { owner: "you" } }));
  await step("create if needed", () => q.createIfNotExists({ metadata: { owner: "me" } }), (r) => r.succeeded);
  await step("exists", () => q.exists());
  await step("exists not", () => queue("nobody").exists());
  await step("properties", () => q.getProperties(), (p) => [p.metadata, p.approximateMessagesCount]);
  await step("set metadata", () => q.setMetadata({ a: "1" }), nothing);
  await step("properties then", () => q.getProperties(), (p) => p.metadata);
  for (const name of ["ab", "a".repeat(64), "Upper", "two--hyphens", "under_score"]) {
    await step(`create '${name.slice(0, 12)}'`, () => queue(name).create());
  }
  const policy = { accessPolicy: { permissions: "rp", startsOn: new Date(Date.UTC(2026, 0)), expiresOn: new Date(Date.UTC(2027, 0)) } };
  await step("set access policy", () => q.setAccessPolicy([{ id: "readers", ...policy }]), nothing);
  await step("access policy", () => q.getAccessPolicy(), (p) => p.signedIdentifiers.map((s) => [s.id, s.accessPolicy.permissions]));
  for (const name of ["list-a", "list-b", "list-c"]) await service.createQueue(name, { metadata: { n: name } });
  await step("list", () => all(service.listQueues()), (found) => found.map((f) => f.name));
  await step("list by prefix with metadata", () => all(service.listQueues({ prefix: "list-", includeMetadata: true })), (found) => found.map((f) => [f.name, f.metadata]));
  await step("list by pages of 2", () => all(service.listQueues().byPage({ maxPageSize: 2 })), (pages) => pages.map((p) => (p.queueItems ?? []).map((f) => f.name)));
  await step("delete if there", () => q.deleteIfExists(), (r) => r.succeeded);
  await step("delete if there, again", () => q.deleteIfExists(), (r) => r.succeeded);
  await step("delete again", () => q.delete());
}

async function messages() {
  const q = queue("messages");
  await q.create();
  await step("send", () => q.sendMessage("<hello> & zwölf 🚂"), (m) => [m.expiresOn - m.insertedOn, m.nextVisibleOn - m.insertedOn, typeof m.popReceipt]);
  await step("peek", () => q.peekMessages(), (r) => r.peekedMessageItems.map(received));
  const got = (await step("receive", () => q.receiveMessages({ visibilityTimeout: 30 }), (r) => r.receivedMessageItems.map(received))).receivedMessageItems[0];
  await step("hidden", () => q.receiveMessages(), (r) => r.receivedMessageItems.length);
  const changed = await step("update", () => q.updateMessage(got.messageId, got.popReceipt, "changed", 0), (r) => r.popReceipt !== got.popReceipt);
  await step("delete with the old receipt", () => q.deleteMessage(got.messageId, got.popReceipt));
  await step("update with the old receipt", () => q.updateMessage(got.messageId, got.popReceipt, "again", 0));
  await step("peek at what changed", () => q.peekMessages(), (r) => r.peekedMessageItems.map(received));
  await step("delete", () => q.deleteMessage(got.messageId, changed.popReceipt), nothing);
  await step("delete again", () => q.deleteMessage(got.messageId, changed.popReceipt));
  for (let i = 0; i < 5; i += 1) await q.sendMessage(`m${i}`);
  await step("receive 3", () => q.receiveMessages({ numberOfMessages: 3, visibilityTimeout: 60 }), (r) => r.receivedMessageItems.length);
  await step("count", () => q.getProperties(), (p) => p.approximateMessagesCount);
  for (const count of [0, 33]) await step(`receive ${count}`, () => q.receiveMessages({ numberOfMessages: count }));
  await step("hidden for too long", () => q.sendMessage("x", { visibilityTimeout: 604801 }));
  await step("hidden for longer than it lives", () => q.sendMessage("x", { visibilityTimeout: 10, messageTimeToLive: 10 }));
  await step("for ever", () => q.sendMessage("x", { messageTimeToLive: -1 }), (m) => m.expiresOn.getUTCFullYear() > 9000);
  await step("too large", () => q.sendMessage("x".repeat(65537)));
  await step("clear", () => q.clearMessages(), nothing);
  await step("count then", () => q.getProperties(), (p) => p.approximateMessagesCount);
  await step("send to no queue", () => queue("nobody").sendMessage("x"));
}

async function properties() {
  await step("service properties", () => service.getProperties(), (p) => Object.keys(p).filter((k) => ["queueAnalyticsLogging", "hourMetrics", "minuteMetrics"].includes(k)).sort());
  const wrong = new QueueServiceClient(service.url, new StorageSharedKeyCredential(service.accountName, "d3Jvbmc="), options);
  await step("a wrong key", () => wrong.getProperties());
}

await run([queues, messages, properties]);
await dropAll();
