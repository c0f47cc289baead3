// Every operation of openapi.json, with a real service that runs jobs and sends webhooks.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import {
  JobError,
  LeadyardError,
  OPERATIONS,
  verifyWebhook,
  type ErrorCode,
  type LeadyardEvent,
  type WebhookMessage,
} from "leadyard-client";
import { idsOf, newClient, newYard, setting } from "./world.js";

const called = new Set<string>();
const patterns = Object.entries(OPERATIONS).map(([id, [method, path]]) => ({
  id,
  method,
  pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+").replace(".", "\\.")}$`),
}));

/** Notes which operation a request is. The first one that fits has no id in place of a fixed path. */
const watching: typeof fetch = (url, init) => {
  const { pathname } = new URL(String(url));
  called.add(patterns.find(({ method, pattern }) => method === init?.method && pattern.test(pathname))?.id ?? pathname);
  return fetch(url, init);
};

const client = newClient({ fetch: watching });

async function refused(call: Promise<unknown>, code: ErrorCode): Promise<LeadyardError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LeadyardError, String(error));
  assert.equal(error.code, code);
  assert.match(error.traceId, /^[0-9a-f]{32}$/);
  return error;
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

test("account groups", async () => {
  const names = [];
  for await (const account of client.items("list_accounts")) names.push(account.id);
  assert.deepEqual(names, [setting("ACCOUNT_GROUP")]);
  const answer = await client.call("list_accounts", { query: { limit: 1 } });
  assert.match(answer.headers.get("Key-Permissions") ?? "", /audiences:write/);
  assert.equal(answer.status, 200);
  const elsewhere = newClient({ accountGroupId: undefined, fetch: watching }).forAccountGroup(
    "000000000000000000000000",
  );
  assert.equal((await refused(elsewhere.getAudience(setting("ACCOUNT_GROUP")), "FORBIDDEN")).status, 403);
  await refused(newClient({ apiKey: "sk_live_wrong", fetch: watching }).audiences().next(), "UNAUTHORIZED");
});

test("audiences and folders", async () => {
  const audience = await client.createAudience({ name: "Spring", description: "2026" });
  assert.deepEqual([audience.name, audience.type, audience.prospectCount], ["Spring", "on_demand", 0]);
  assert.equal((await client.createAudience({ name: "Watch", type: "monitoring" })).type, "monitoring");
  assert.equal((await client.updateAudience(audience.id, { name: "Summer", description: null })).description, null);
  assert.equal((await client.getAudience(audience.id)).name, "Summer");
  const { data: folder } = await client.call("create_folder", { body: { name: "Year", audienceType: "on_demand" } });
  await client.call("update_folder", { path: { folderId: folder.id }, body: { isPinned: true } });
  await client.call("move_to_folder", { path: { audienceId: audience.id }, body: { folderId: folder.id } });
  const { data: navigation } = await client.call("get_navigation");
  assert.equal(navigation.folders.find(({ id }) => id === folder.id)?.audiences[0]?.id, audience.id);
  assert.equal((await client.call("remove_from_folder", { path: { audienceId: audience.id } })).data.folderId, null);
  assert.equal((await client.call("delete_folder", { path: { folderId: folder.id } })).data.deleted, true);
  await client.deleteAudience(audience.id);
  await refused(client.getAudience(audience.id), "NOT_FOUND");
  const wrong = await refused(client.createAudience({ name: "" }), "VALIDATION_ERROR");
  assert.ok(wrong.code === "VALIDATION_ERROR" && wrong.fields.violations[0]?.path === "name");
});

test("lists are walked in pages", async () => {
  const yard = await newYard(client, 450);
  const sizes = [];
  for await (const page of client.pages("list_prospects", { path: { audienceId: yard.source } }))
    sizes.push(page.items.length);
  assert.deepEqual(sizes, [200, 200, 50]);
  const first = await client.pages("list_prospects", { path: { audienceId: yard.source }, query: { limit: 7 } }).next();
  assert.ok(first.value);
  const next = await client.call("list_prospects", {
    path: { audienceId: yard.source },
    query: { cursor: first.value.nextCursor, limit: 1 },
  });
  assert.equal(next.data.items[0]?.id, yard.leads[7]);
  const names = [];
  for await (const audience of client.audiences()) names.push(audience.name);
  assert.ok(names.includes("Source"));
});

test("people", async () => {
  const { id: audienceId } = await client.createAudience({ name: "People" });
  const added = await client.addProspects(audienceId, [
    { email: "ada@engines.example", firstName: "Ada", lastName: "Lovelace", providerId: "crm/1" },
    {
      linkedinUrl: "https://www.linkedin.com/in/ada-twin",
      firstName: "Ada",
      lastName: "Lovelace",
      company: { name: "Engines" },
    },
    { email: "nonsense" },
  ]);
  assert.deepEqual([added.created, added.rejected.map(({ code }) => code)], [2, ["INVALID_EMAIL"]]);
  const [ada, twin] = await idsOf(client, audienceId);
  assert.ok(ada && twin);
  assert.equal(
    (await client.updateProspect(ada, { title: "Countess", company: { name: "Engines" } })).title,
    "Countess",
  );
  assert.equal((await client.getProspect(ada)).audiences[0]?.id, audienceId);
  assert.equal(
    (await client.call("find_by_provider_id", { path: { providerId: "crm/1" } })).data.matches[0]?.prospectId,
    ada,
  );
  const found = [];
  for await (const prospect of client.prospects(audienceId, { q: "lovelace", hasEmail: true })) found.push(prospect.id);
  assert.deepEqual(found, [ada]);
  const anywhere = [];
  for await (const person of client.findProspects({ q: "lovelace", hasEmail: true })) anywhere.push(person);
  assert.deepEqual([anywhere.length, anywhere[0]?.id, anywhere[0]?.audiences[0]?.id], [1, ada, audienceId]);
  const csv = await textOf(await client.exportProspects(audienceId));
  assert.match(csv, /ada@engines\.example/);
  for await (const group of client.items("list_duplicates")) assert.ok(group.prospects.length > 1);
  const { data: merged } = await client.call("merge_prospects", {
    path: { prospectId: ada },
    body: { prospectId: twin },
  });
  assert.equal(merged.prospect.id, ada);
  const { data: suppressed } = await client.call("suppress_prospects", {
    body: { prospects: [{ email: "never@example.com" }], reason: "asked" },
  });
  assert.equal(suppressed.added, 1);
  const hashes = [];
  for await (const { hash } of client.items("list_suppressions")) hashes.push(hash);
  await client.call("delete_suppression", { path: { hash: hashes[0] ?? "" } });
  await client.call("delete_prospect", { path: { prospectId: ada }, query: { suppress: true } });
  await refused(client.getProspect(ada), "NOT_FOUND");
});

test("moves, copies, removals, and their undo", async () => {
  const yard = await newYard(client, 3);
  const [one = "", two = "", three = ""] = yard.leads;
  const { data, headers } = await client.call("move_leads", {
    path: { audienceId: yard.source },
    body: { targetAudienceId: yard.target, leadIds: [one, two] },
  });
  assert.deepEqual([data.movedCount, data.sourceAudience.prospectCount, data.targetAudience.prospectCount], [2, 1, 2]);
  const moveId = headers.get("Move-Id") ?? "";
  assert.equal((await client.call("get_move", { path: { moveId } })).data.leadIds.length, 2);
  assert.equal((await client.items("list_moves").next()).value?.id, moveId);
  const again = await refused(client.moveLeads(yard.source, yard.target, [one, three]), "LEADS_NOT_IN_SOURCE");
  assert.ok(again.code === "LEADS_NOT_IN_SOURCE" && again.fields.leadIds[0] === one && again.fields.leadCount === 1);
  const key = `mine-${yard.source}`;
  const first = await client.copyLeads(yard.source, yard.target, [three], { idempotencyKey: key });
  assert.deepEqual(await client.copyLeads(yard.source, yard.target, [three], { idempotencyKey: key }), first);
  await refused(client.copyLeads(yard.source, yard.target, [one], { idempotencyKey: key }), "IDEMPOTENCY_CONFLICT");
  assert.equal((await client.removeLeads(yard.target, [three])).removedCount, 1);
  const undone = await client.undoChange(moveId);
  assert.ok("undoneCount" in undone && undone.undoneCount === 2);
  assert.equal((await client.getChange(moveId)).undoneByChangeId, undone.change.id);
  const twice = await refused(client.undoChange(moveId), "ALREADY_UNDONE");
  assert.ok(twice.code === "ALREADY_UNDONE" && twice.fields.undoneByChangeId === undone.change.id);
  const kinds = [];
  for await (const change of client.changes({ audienceId: yard.source })) kinds.push(change.kind);
  assert.deepEqual(kinds, ["undo", "copy", "move", "add"]);
  for await (const change of client.items("list_prospect_changes", { path: { prospectId: one } })) assert.ok(change.id);
  const people = [];
  for await (const each of client.items("list_changed_prospects", { path: { changeId: moveId } }))
    people.push(each.prospectId);
  assert.deepEqual(people.sort(), [one, two].sort());
  for await (const _ of client.items("list_replaced_values", { path: { changeId: moveId } }))
    assert.fail("a move replaces no value");
});

test("transfers", async () => {
  const yard = await newYard(client, 30);
  const transfer = {
    action: "move",
    sourceAudienceId: yard.source,
    targetAudienceId: yard.target,
    select: { all: true },
  } as const;
  const preview = await client.previewTransfer(transfer);
  assert.deepEqual([preview.count, preview.sourceProspectCountAfter, preview.sample.length], [30, 0, 20]);
  const changed = await refused(client.startTransfer({ ...transfer, expectedCount: 29 }), "SELECTION_CHANGED");
  assert.ok(changed.code === "SELECTION_CHANGED" && changed.fields.count === 30);
  const { jobId } = await client.startTransfer({ ...transfer, expectedCount: preview.count });
  const states = new Set<string>();
  const done = await client.waitForTransfer(jobId, { pollMs: 20, onProgress: ({ status }) => states.add(status) });
  assert.deepEqual([done.appliedCount, done.progress, states.has("completed")], [30, 1, true]);
  assert.equal((await idsOf(client, yard.target)).length, 30);
  const ended = await refused(client.cancelTransfer(jobId), "JOB_NOT_CANCELLABLE");
  assert.ok(ended.code === "JOB_NOT_CANCELLABLE" && ended.fields.status === "completed" && ended.status === 422);
  assert.ok(done.changeId);
  await client.undoChange(done.changeId);
  assert.equal((await idsOf(client, yard.source)).length, 30);
  assert.equal((await client.items("list_transfers").next()).value?.jobId, jobId);
});

test("imports", async () => {
  const csv = "Email,Name\nada@import.example,Ada\ngrace@import.example,Grace\nnonsense,\n";
  const { uploadId } = await client.createUpload(new Blob([csv], { type: "text/csv" }));
  const preview = await client.previewUpload(uploadId, { rows: 2 });
  assert.deepEqual(
    preview.columns.map(({ field }) => field),
    ["email", "name"],
  );
  const { jobId, audienceId } = await client.startProspecting({
    type: "csv_upload",
    uploadId,
    audience: { name: "Imported" },
  });
  const job = await client.waitForProspecting(jobId, { pollMs: 50 });
  assert.deepEqual([job.counts.created, job.counts.rejected, job.audienceId], [2, 1, audienceId]);
  assert.match(await textOf(await client.exportRejected(jobId)), /nonsense/);
  const stream = () => new Blob(["Email\nkatherine@import.example\n"]).stream() as ReadableStream<Uint8Array>;
  const second = await client.importFile(stream, { id: audienceId });
  assert.equal((await client.waitForProspecting(second.jobId)).counts.added, 1);
  await refused(client.cancelProspecting(second.jobId), "JOB_NOT_CANCELLABLE");
  assert.equal(
    (await client.items("list_prospecting", { query: { status: "completed" } }).next()).value?.jobId,
    second.jobId,
  );
  await refused(client.importFile("Email\n", { name: "Empty" }), "UNREADABLE_FILE");
  for (const operation of ["list_lead_lists", "list_saved_searches"] as const)
    await refused(client.call(operation), "SOURCE_NOT_CONFIGURED");
  await refused(
    client.startProspecting({
      type: "linkedin_search",
      audience: { name: "L" },
      searchUrl: "https://www.linkedin.com/search/results/people/?keywords=cto",
    }),
    "SOURCE_NOT_CONFIGURED",
  );
});

test("a job that is cancelled is an error of the wait", async () => {
  const started = await client.call("start_prospecting", {
    body: {
      type: "url_upload",
      audience: { name: "URLs" },
      profileUrls: Array.from({ length: 900 }, (_, number) => `https://www.linkedin.com/in/somebody-${number}`),
    },
  });
  const { jobId } = started.data;
  const cancelled = await client.cancelProspecting(jobId).catch((error: LeadyardError) => error.code);
  const waited: unknown = await client.waitForProspecting(jobId).catch((error: unknown) => error);
  // The job may have been quicker.
  if (cancelled === "JOB_NOT_CANCELLABLE")
    return assert.equal((await client.getProspecting(jobId)).status, "completed");
  assert.ok(waited instanceof JobError && waited.code === "CANCELLED" && waited.job.jobId === jobId);
});

test("events", async () => {
  const audience = await client.createAudience({ name: "Followed" });
  const seen: LeadyardEvent[] = [];
  for await (const event of client.events({ from: "start", audienceId: audience.id })) {
    seen.push(event);
    if (seen.length === 1) await client.updateAudience(audience.id, { name: "Renamed" });
    else break;
  }
  assert.deepEqual(
    seen.map(({ type }) => type),
    ["audience.created", "audience.updated"],
  );
  const after: string[] = [];
  for await (const event of client.events({ after: seen[0]?.id ?? "", audienceId: audience.id })) {
    after.push(event.id);
    break;
  }
  assert.deepEqual(after, [seen[1]?.id]);
  const stop = new AbortController();
  const waiting = (async () => {
    for await (const _ of client.events({ types: ["webhook.disabled"], signal: stop.signal }))
      assert.fail("no webhook was disabled");
  })();
  setTimeout(() => stop.abort(), 300);
  await assert.rejects(waiting, { name: "AbortError" });
  const cursors = [];
  for await (const page of client.eventPages({ from: "start", wait: 0 })) {
    cursors.push(page.nextCursor);
    if (!page.hasMore) break;
  }
  const rest = await client.eventPages({ cursor: cursors.at(-1) ?? "", wait: 0 }).next();
  assert.deepEqual(rest.value?.items, []);
});

// ----------------------------------------------------------------------------------------------------- webhooks

const received: WebhookMessage[] = [];
let secret = "";
const receiver = createServer(async (request: IncomingMessage, response: ServerResponse) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const verified = await verifyWebhook(secret, request.headers, Buffer.concat(pieces)).catch(() => null);
  if (verified) received.push(verified);
  response.writeHead(verified ? 204 : 401).end();
});

before(async () => {
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
});
after(() => {
  receiver.closeAllConnections();
  receiver.close();
});

async function until<Value>(look: () => Promise<Value | undefined> | Value | undefined): Promise<Value> {
  for (let turn = 0; turn < 400; turn++) {
    const value = await look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not happen within 20 s");
}

test("webhooks are created, verified, and sent again", async () => {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  await refused(client.createWebhook({ url: "ftp://example.com" }), "URL_NOT_ALLOWED");
  const webhook = await client.createWebhook({ url, types: ["leads.moved"] });
  secret = webhook.secret;
  const path = { webhookId: webhook.id };
  assert.deepEqual((await client.testWebhook(webhook.id)).statusCode, 204);
  assert.equal(received[0]?.type, "webhook.test");
  const yard = await newYard(client, 1);
  await client.moveLeads(yard.source, yard.target, yard.leads);
  const moved = await until(() => received.find((message) => message.type === "leads.moved"));
  assert.ok(moved.type === "leads.moved" && moved.data.targetAudience?.id === yard.target);
  const delivery = await until(
    async () =>
      (await client.items("list_deliveries", { path, query: { status: "delivered" } }).next()).value ?? undefined,
  );
  await client.call("redeliver", { path: { ...path, deliveryId: delivery.id } });
  await until(() => received.filter(({ id }) => id === moved.id)[1]);
  await client.call("replay_events", { path, body: { from: new Date(Date.now() - 60_000).toISOString() } });
  await until(() => received.filter(({ id }) => id === moved.id)[2]);
  const { data: rotated } = await client.call("rotate_secret", { path });
  assert.notEqual(rotated.secret, secret);
  assert.equal((await client.testWebhook(webhook.id)).statusCode, 204, "the old secret still counts");
  secret = rotated.secret;
  assert.equal((await client.testWebhook(webhook.id)).statusCode, 204);
  secret = "whsec_eiL9fmrAzNbfqfHFYQfD3D0Yh2DzfJ+KNRU0O7VovqU=";
  assert.deepEqual((await client.testWebhook(webhook.id)).statusCode, 401);
  assert.equal((await client.updateWebhook(webhook.id, { status: "paused" })).status, "paused");
  assert.equal((await client.call("get_webhook", { path })).data.status, "paused");
  const urls = [];
  for await (const each of client.webhooks()) urls.push(each.url);
  assert.deepEqual(urls, [url]);
  await client.deleteWebhook(webhook.id);
  await refused(client.updateWebhook(webhook.id, { status: "active" }), "NOT_FOUND");
});

test("every operation was called", () => {
  assert.deepEqual([...called].sort(), Object.keys(OPERATIONS).sort());
});
