// Which requests are sent again, when, and with what. The server is scripted, so that each case happens.

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { Leadyard, LeadyardError, type LeadyardOptions, type Retry } from "leadyard-client";
import { answerWith, refuseWith, ScriptedServer } from "./proxies.js";

// Far below the waits that these calls must not make, and enough for a busy machine.
const SOON_MS = 15_000;
const GROUP = "507f1f77bcf86cd799439011";
const ID = "507f1f77bcf86cd799439012";

/** Does one thing after the other, the last one from then on. Returns what arrived, and what the call threw or returned. */
async function after(
  steps: ((response: ServerResponse) => void)[],
  call: (client: Leadyard, server: ScriptedServer) => Promise<unknown>,
  options: Partial<LeadyardOptions> = {},
) {
  const server = await ScriptedServer.that((_, response, number) =>
    steps[Math.min(number, steps.length) - 1]?.(response),
  );
  const retries: Retry[] = [];
  const client = new Leadyard({
    baseUrl: server.url,
    apiKey: "sk_test",
    accountGroupId: GROUP,
    backoffMs: 1,
    onRetry: (retry) => retries.push(retry),
    ...options,
  });
  const started = Date.now();
  const result: unknown = await call(client, server).catch((error: unknown) => error);
  const tookMs = Date.now() - started;
  server.close();
  return {
    got: server.got,
    keys: server.got.map(({ headers }) => headers["idempotency-key"]),
    result,
    retries,
    tookMs,
  };
}

const breaks = (response: ServerResponse) => void response.socket?.destroy();
const answers = (response: ServerResponse) => answerWith(response, { movedCount: 1 });
const busy = (wait: string) => (response: ServerResponse) =>
  refuseWith(response, 503, "SERVICE_UNAVAILABLE", { "Retry-After": wait });
const limited = (wait: string) => (response: ServerResponse) =>
  refuseWith(response, 429, "RATE_LIMITED", { "Retry-After": wait });
const move = (client: Leadyard) => client.moveLeads(ID, ID, [ID]);

function failure(result: unknown): LeadyardError {
  assert.ok(result instanceof LeadyardError, String(result));
  return result;
}

test("every attempt of a move has the same key and body, and another move has another key", async () => {
  const { got, keys, result, retries } = await after([breaks, busy("0"), limited("0"), answers], async (client) => [
    await move(client),
    await move(client),
  ]);
  assert.deepEqual(result, [{ movedCount: 1 }, { movedCount: 1 }]);
  assert.equal(keys.length, 5);
  assert.match(String(keys[0]), /^[0-9a-f]{32}$/);
  assert.deepEqual(new Set(keys.slice(0, 4)).size, 1);
  assert.notEqual(keys[4], keys[0]);
  assert.equal(new Set(got.map(({ body }) => body.toString())).size, 1);
  assert.deepEqual(
    retries.map(({ attempts, error }) => [attempts, error.code]),
    [
      [1, "UNREACHABLE"],
      [2, "SERVICE_UNAVAILABLE"],
      [3, "RATE_LIMITED"],
    ],
  );
});

test("a key of your own is sent, and the error has it", async () => {
  const { keys, result } = await after([breaks], (client) =>
    client.moveLeads(ID, ID, [ID], { idempotencyKey: "from-my-table", giveUpAfterMs: 0 }),
  );
  assert.deepEqual(keys, ["from-my-table"]);
  const error = failure(result);
  assert.deepEqual(
    [error.code, error.status, error.attempts, error.idempotencyKey],
    ["UNREACHABLE", 0, 1, "from-my-table"],
  );
  assert.match(error.details, /may have been done.*same idempotencyKey/);
  assert.ok(error.cause instanceof Error);
});

for (const [name, wait] of [
  ["seconds", () => "1"],
  ["a date", () => new Date(Date.now() + 2000).toUTCString()],
] as const) {
  test(`Retry-After as ${name} is waited for`, async () => {
    const { got, tookMs } = await after([busy(wait()), answers], move);
    assert.equal(got.length, 2);
    assert.ok(tookMs >= 950, String(tookMs));
  });
}

test("a Retry-After beyond the limit is not waited for", async () => {
  const { got, result, tookMs } = await after([limited("3600")], move);
  const error = failure(result);
  assert.deepEqual(
    [got.length, error.code, error.retryAfterS, error.traceId],
    [1, "RATE_LIMITED", 3600, "f".repeat(32)],
  );
  assert.ok(tookMs < SOON_MS, String(tookMs));
});

test("attempts end when the time is over", async () => {
  const { got, result, tookMs } = await after([breaks], move, { giveUpAfterMs: 1_500, backoffMs: 250 });
  assert.equal(failure(result).attempts, got.length);
  assert.ok(got.length >= 2 && got.length <= 8, String(got.length));
  assert.ok(tookMs < SOON_MS, String(tookMs));
});

test("pauses grow and are not all the same", async () => {
  const { retries } = await after([breaks, breaks, breaks, breaks, breaks, answers], move, { backoffMs: 20 });
  for (const { attempts, waitMs } of retries) {
    const longest = 20 * 2 ** (attempts - 1);
    assert.ok(waitMs >= longest / 2 && waitMs <= longest, `${attempts}: ${waitMs}`);
  }
  assert.equal(new Set(retries.map(({ attempts, waitMs }) => waitMs / 2 ** attempts)).size, 5);
});

test("a request that is still being worked on is waited for, and a wrong key is not", async () => {
  const inFlight = (response: ServerResponse) =>
    refuseWith(response, 409, "IDEMPOTENCY_CONFLICT", { "Retry-After": "0" });
  const waited = await after([inFlight, inFlight, answers], move);
  assert.deepEqual([waited.got.length, waited.result], [3, { movedCount: 1 }]);
  const refused = await after([(response) => refuseWith(response, 409, "IDEMPOTENCY_CONFLICT")], move);
  assert.deepEqual([refused.got.length, failure(refused.result).code], [1, "IDEMPOTENCY_CONFLICT"]);
});

for (const [status, code] of [
  [409, "AUDIENCE_NOT_READY"],
  [422, "LEADS_NOT_IN_SOURCE"],
  [500, "INTERNAL_ERROR"],
  [404, "NOT_FOUND"],
] as const) {
  test(`a ${status} ${code} is not sent again`, async () => {
    const { got, result } = await after(
      [(response) => refuseWith(response, status, code, { "Retry-After": "0" }, { leadIds: [ID] })],
      move,
    );
    const error = failure(result);
    assert.deepEqual([got.length, error.code, error.status, error.message], [1, code, status, "Not now."]);
    assert.deepEqual(error.fields, { leadIds: [ID] });
  });
}

test("the test of a webhook has no key, and is sent again only if it was not done", async () => {
  const broken = await after([breaks], (client) => client.testWebhook(ID));
  assert.deepEqual([broken.got.length, broken.keys, failure(broken.result).code], [1, [undefined], "UNREACHABLE"]);
  const unavailable = await after([busy("0"), answers], (client) => client.testWebhook(ID));
  assert.equal(unavailable.got.length, 1);
  const early = await after([limited("0"), answers], (client) => client.testWebhook(ID));
  assert.deepEqual([early.got.length, early.result], [2, { movedCount: 1 }]);
});

test("requests that set or delete are sent again without a key", async () => {
  for (const call of [
    (client: Leadyard) => client.updateAudience(ID, { name: "New" }),
    (client: Leadyard) => client.deleteAudience(ID),
    (client: Leadyard) => client.getAudience(ID),
  ]) {
    const { got, keys } = await after([breaks, busy("0"), answers], call);
    assert.deepEqual([got.length, keys], [3, [undefined, undefined, undefined]]);
  }
});

test("a file is sent again from its beginning, and a stream only once", async () => {
  const text = "Email\nada@example.com\n";
  const stream = () => new Blob([text]).stream() as ReadableStream<Uint8Array>;
  for (const file of [text, new Blob([text], { type: "text/csv" }), new TextEncoder().encode(text), stream]) {
    const { got, result } = await after([breaks, busy("0"), answers], (client) => client.createUpload(file));
    assert.deepEqual(
      got.map(({ body }) => body.toString()),
      [text, text, text],
      String(result),
    );
  }
  for (const step of [breaks, limited("0")]) {
    const { got, result } = await after([step], (client) => client.createUpload(stream()));
    assert.equal(got.length, 1);
    assert.ok(failure(result).idempotencyKey);
  }
});

test("the types of a file", async () => {
  const types = [];
  for (const call of [
    (client: Leadyard) => client.createUpload(new Blob(["x"], { type: "text/csv" })),
    (client: Leadyard) => client.createUpload(new Blob(["x"])),
    (client: Leadyard) => client.createUpload("x"),
    (client: Leadyard) => client.call("create_upload", { file: new Blob(["x"]), contentType: "text/vcard" }),
  ]) {
    types.push((await after([answers], call)).got[0]?.headers["content-type"]);
  }
  assert.deepEqual(types, ["text/csv", "application/octet-stream", "text/plain; charset=utf-8", "text/vcard"]);
});

test("a signal ends a request, a pause and a wait, with its reason", async () => {
  const reason = new Error("enough");
  const hangs = () => undefined;
  for (const step of [hangs, busy("30")]) {
    const abort = new AbortController();
    const stepAndAbort = (response: ServerResponse) => {
      step(response);
      setTimeout(() => abort.abort(reason), 100);
    };
    const { got, result, tookMs } = await after([stepAndAbort], (client) =>
      client.moveLeads(ID, ID, [ID], { signal: abort.signal }),
    );
    assert.equal(result, reason);
    assert.equal(got.length, 1);
    assert.ok(tookMs < SOON_MS, String(tookMs));
  }
  const { got, result } = await after([answers], (client) =>
    client.getAudience(ID, { signal: AbortSignal.abort(reason) }),
  );
  assert.deepEqual([got.length, result], [0, reason]);
  const runs = (response: ServerResponse) => answerWith(response, { jobId: ID, status: "running", error: null });
  const abort = new AbortController();
  setTimeout(() => abort.abort(reason), 150);
  assert.equal((await after([runs], (client) => client.waitForTransfer(ID, { signal: abort.signal }))).result, reason);
});

test("an attempt that takes too long is broken off and sent again", async () => {
  const { got, result } = await after([() => undefined, answers], move, { timeoutMs: 1_000 });
  assert.deepEqual([got.length, result], [2, { movedCount: 1 }]);
  const never = await after([() => undefined], move, { timeoutMs: 300, giveUpAfterMs: 0 });
  assert.match(String(failure(never.result).cause), /300 ms/);
});

test("an answer that breaks off is sent again", async () => {
  const half = (response: ServerResponse) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "500" }).write('{"success": true');
    setTimeout(() => response.socket?.destroy(), 20);
  };
  const { got, result } = await after([half, answers], move);
  assert.deepEqual([got.length, result], [2, { movedCount: 1 }]);
});

test("a redirect is not followed, because a POST would become a GET", async () => {
  const { got, result } = await after(
    [(response) => void response.writeHead(301, { Location: "https://leads.example.com/v1/x" }).end()],
    move,
  );
  const error = failure(result);
  assert.deepEqual([got.length, error.code], [1, "UNEXPECTED_ANSWER"]);
  assert.match(error.details, /https:\/\/leads\.example\.com/);
});

test("answers of another program are recognised", async () => {
  const html = (status: number) => (response: ServerResponse) =>
    void response.writeHead(status, { "Content-Type": "text/html" }).end("<h1>Sign in</h1>");
  const json = (response: ServerResponse) =>
    void response.writeHead(200, { "Content-Type": "application/json" }).end('{"hello": "world"}');
  for (const [step, requests] of [
    [html(200), 1],
    [html(404), 1],
    [json, 1],
  ] as const) {
    const { got, result } = await after([step], move);
    assert.deepEqual([got.length, failure(result).code], [requests, "UNEXPECTED_ANSWER"]);
  }
  const gateway = await after([html(502), html(504), answers], move);
  assert.deepEqual([gateway.got.length, gateway.result], [3, { movedCount: 1 }]);
});

test("mistakes in a call are thrown before a request is sent", async () => {
  for (const baseUrl of ["", "/", "leads.example.com", "127.0.0.1:8000", "ftp://leads.example.com", "https://x.example?a=b"])
    assert.throws(() => new Leadyard({ baseUrl }), /baseUrl must be the URL of the service/);
  for (const apiKey of ["sk_live_hush\nsk_live_hush", "sk_live_hush…", "sk_live_hush x"])
    assert.throws(
      () => new Leadyard({ baseUrl: "http://127.0.0.1:9", apiKey }),
      (error) => error instanceof TypeError && /apiKey/.test(error.message) && !/hush/.test(error.message),
    );
  const { got, result } = await after([answers], (client) => client.getAudience(""));
  assert.equal(got.length, 0);
  assert.match(String(result), /audienceId is missing/);
  const group = await after([answers], (client) => client.getAudience(ID), { accountGroupId: undefined });
  assert.equal(group.got.length, 0);
  assert.match(String(group.result), /accountGroupId is missing/);
});

test("paths and queries are encoded, and empty parameters are left out", async () => {
  const { got } = await after([answers], async (client) => {
    await client.call("find_by_provider_id", { path: { providerId: "ext/1 %?" } });
    await client.call("list_prospects", {
      path: { audienceId: ID },
      query: { q: "Ada & Grace", addedAfter: "2026-01-31T09:30:00+01:00", company: "", hasEmail: false },
    });
  });
  assert.deepEqual(
    got.map(({ path }) => path.replace(/.*(?=prospects)/, "")),
    [
      "prospects/by-provider-id/ext%2F1%20%25%3F",
      "prospects?q=Ada+%26+Grace&addedAfter=2026-01-31T09%3A30%3A00%2B01%3A00&hasEmail=false",
    ],
  );
});
