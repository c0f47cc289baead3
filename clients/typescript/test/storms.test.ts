// Many calls at once, while a proxy refuses, breaks and loses answers, and while the service limits the rate.

import assert from "node:assert/strict";
import { test } from "node:test";
import { refuseWith, ScriptedServer, type Got } from "./proxies.js";
import { idsOf, inLanes, movedOnRecord, newClient, newYard, setting } from "./world.js";

const CALLS = 250;
const LANES = 16;

/** The same numbers in each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

async function passOn(got: Got): Promise<Response> {
  const headers = new Headers(
    Object.entries(got.headers).map(([name, value]): [string, string] => [name, String(value)]),
  );
  for (const name of ["host", "connection", "content-length", "transfer-encoding"]) headers.delete(name);
  return fetch(setting("LEADYARD_URL") + got.path, {
    method: got.method,
    headers,
    body: got.body.length ? got.body : undefined,
  });
}

test("moves through a storm of refusals and lost answers are made once", async () => {
  const random = randomFrom(20261130);
  const seen = { 429: 0, 502: 0, 503: 0, done503: 0, inFlight: 0, closed: 0, lost: 0, passed: 0 };
  const proxy = await ScriptedServer.that(async (got, response) => {
    const dice = random();
    const now = { "Retry-After": "0" };
    if (dice < 0.15) return (seen[429]++, refuseWith(response, 429, "RATE_LIMITED", now));
    if (dice < 0.3) return (seen[503]++, refuseWith(response, 503, "SERVICE_UNAVAILABLE", now));
    if (dice < 0.35) return (seen.inFlight++, refuseWith(response, 409, "IDEMPOTENCY_CONFLICT", now));
    if (dice < 0.4)
      return (seen[502]++, void response.writeHead(502, { "Content-Type": "text/html" }).end("<h1>Bad gateway</h1>"));
    if (dice < 0.5) return (seen.closed++, void response.socket?.destroy());
    const answer = await passOn(got);
    const body = await answer.text();
    if (dice < 0.6) return (seen.lost++, void response.socket?.destroy());
    if (dice < 0.7) return (seen.done503++, refuseWith(response, 503, "SERVICE_UNAVAILABLE", now));
    seen.passed++;
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(body);
  });
  const direct = newClient();
  const yard = await newYard(direct, CALLS);
  const client = newClient({ baseUrl: proxy.url, backoffMs: 2, giveUpAfterMs: 100_000 });
  let returned = 0;
  await inLanes(LANES, yard.leads, async (lead) => {
    const { movedCount } = await client.moveLeads(yard.source, yard.target, [lead]);
    assert.equal(movedCount, 1);
    returned++;
  });
  proxy.close();
  assert.equal(returned, CALLS);
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 5, `${what}: ${count}`);
  assert.equal(await movedOnRecord(direct, yard), CALLS);
  assert.deepEqual((await idsOf(direct, yard.target)).sort(), [...yard.leads].sort());
});

test("calls above the rate limit of the service wait and return", async () => {
  // The key may send 20 requests in a second.
  let waits = 0;
  const client = newClient({
    apiKey: setting("LEADYARD_LIMITED_KEY"),
    baseUrl: setting("LEADYARD_LIMITED_URL"),
    accountGroupId: setting("LEADYARD_LIMITED_GROUP"),
    onRetry: ({ error }) => {
      assert.equal(error.code, "RATE_LIMITED");
      waits++;
    },
  });
  const names = new Set<string>();
  await inLanes(
    30,
    Array.from({ length: 80 }, (_, number) => `Audience ${number}`),
    async (name) => {
      names.add((await client.createAudience({ name })).name);
    },
  );
  assert.equal(names.size, 80);
  assert.ok(waits > 20, String(waits));
  const stored = [];
  for await (const audience of client.audiences()) stored.push(audience.name);
  assert.deepEqual(stored.sort(), [...names].sort());
});
