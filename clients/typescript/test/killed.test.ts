// The service is killed and started again while this client moves people. `tests/clients/test_typescript.py` does that.

import assert from "node:assert/strict";
import { test } from "node:test";
import { idsOf, inLanes, movedOnRecord, newClient, newYard } from "./world.js";

const MOVES = 400;

test("moves over kills of the service are made once", async () => {
  let broken = 0;
  const client = newClient({ giveUpAfterMs: 150_000, onRetry: () => broken++ });
  const yard = await newYard(client, MOVES);
  console.log("moving");
  await inLanes(6, yard.leads, async (lead) => {
    assert.equal((await client.moveLeads(yard.source, yard.target, [lead])).movedCount, 1);
  });
  console.log("moved");
  assert.ok(broken > 0, "no kill was noticed");
  assert.equal(await movedOnRecord(client, yard), MOVES);
  assert.deepEqual((await idsOf(client, yard.target)).sort(), [...yard.leads].sort());
  assert.deepEqual(await idsOf(client, yard.source), []);
});
