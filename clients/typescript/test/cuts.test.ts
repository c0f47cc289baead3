// A connection that breaks at each byte of the request and of the answer: the move is made once, and the call returns.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CuttingProxy, type Cut } from "./proxies.js";
import { idsOf, inLanes, movedOnRecord, newClient, newYard, setting } from "./world.js";

const LANES = 8;
// More than a request and its answer have bytes together. The test fails if they are longer.
const MOST_MOVES = 2_000;

test("a move whose connection breaks anywhere is made once", async () => {
  const direct = newClient();
  const yard = await newYard(direct, MOST_MOVES);
  const rest = [...yard.leads];
  const moved: string[] = [];
  const bytes = { request: 0, answer: 0 };
  const lanes = (["request", "answer"] as const).flatMap((of) =>
    Array.from({ length: LANES / 2 }, (_, lane) => ({ of, lane })),
  );

  await inLanes(LANES, lanes, async ({ of, lane }) => {
    const proxy = await CuttingProxy.before(setting("LEADYARD_URL"));
    let retries = 0;
    const client = newClient({ baseUrl: proxy.url, backoffMs: 1, onRetry: () => retries++ });
    for (let after = lane; ; after += LANES / 2) {
      const lead = rest.pop();
      assert.ok(lead, "there are more bytes than people");
      retries = 0;
      const cut: Cut = { of, after };
      proxy.cutNext(cut);
      const answer = await client.moveLeads(yard.source, yard.target, [lead]);
      assert.equal(answer.movedCount, 1, JSON.stringify(cut));
      moved.push(lead);
      if (!proxy.hasCut) break;
      // The cut behind the last byte of an answer goes unnoticed.
      if (of === "request") assert.equal(retries > 0, true, JSON.stringify(cut));
      bytes[of] = Math.max(bytes[of], after);
    }
    proxy.close();
  });

  assert.ok(bytes.request > 300 && bytes.answer > 600, JSON.stringify(bytes));
  assert.equal(await movedOnRecord(direct, yard), moved.length);
  assert.deepEqual((await idsOf(direct, yard.target)).sort(), moved.sort());
  assert.equal((await idsOf(direct, yard.source)).length, MOST_MOVES - moved.length);
});
