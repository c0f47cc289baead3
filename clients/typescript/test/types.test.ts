// What the compiler refuses and allows. The lines below `@ts-expect-error` fail the build of the tests if they compile.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LeadyardError,
  OPERATIONS,
  type DataOf,
  type Leadyard,
  type LeadyardEvent,
  type Prospect,
} from "leadyard-client";

const ID = "507f1f77bcf86cd799439012";

test("the code of an error decides the type of its fields", () => {
  const parts = {
    message: "m",
    details: "d",
    status: 422,
    traceId: "",
    retryAfterS: null,
    attempts: 1,
    idempotencyKey: null,
  };
  const error: unknown = new LeadyardError({
    ...parts,
    code: "LEADS_NOT_IN_SOURCE",
    fields: { leadIds: [ID], leadCount: 1 },
  });
  assert.ok(error instanceof LeadyardError && error instanceof Error);
  // @ts-expect-error: another code has other fields.
  assert.ok(error.fields.leadIds);
  if (error.code !== "LEADS_NOT_IN_SOURCE") throw error;
  const first: string | undefined = error.fields.leadIds[0];
  const count: number = error.fields.leadCount;
  assert.deepEqual([first, count, error.name], [ID, 1, "LeadyardError"]);
  // @ts-expect-error: this is not a code.
  assert.ok(error.code !== "NO_SUCH_CODE");
});

/** Compiled and never called. */
export async function calls(client: Leadyard): Promise<void> {
  const { data } = await client.call("move_leads", {
    path: { audienceId: ID },
    body: { targetAudienceId: ID, leadIds: [ID] },
  });
  const moved: number = data.movedCount;
  // @ts-expect-error: the path is missing.
  await client.call("move_leads", { body: { targetAudienceId: ID, leadIds: [ID] } });
  // @ts-expect-error: the body is missing.
  await client.call("move_leads", { path: { audienceId: ID } });
  // @ts-expect-error: a field has another type.
  await client.call("move_leads", { path: { audienceId: ID }, body: { targetAudienceId: ID, leadIds: ID } });
  // @ts-expect-error: this field does not exist.
  await client.call("create_audience", { body: { name: "A", type: "on_demand", nmae: "A" } });
  // @ts-expect-error: this parameter does not exist.
  await client.call("list_audiences", { query: { page: 2 } });
  // @ts-expect-error: this operation does not exist.
  await client.call("fly_to_the_moon");
  // A field with a default may be left out.
  await client.call("start_transfer", { body: { action: "remove", sourceAudienceId: ID, select: { all: true } } });
  const file: ReadableStream<Uint8Array> = (await client.call("export_prospects", { path: { audienceId: ID } })).data;
  for await (const prospect of client.items("list_prospects", { path: { audienceId: ID } })) {
    const name: string | null = (prospect satisfies Prospect).name;
    console.log(name, moved, file);
  }
  // @ts-expect-error: one audience is not a list.
  client.items("get_audience", { path: { audienceId: ID } });
  const undone = await client.undoChange(ID);
  if ("jobId" in undone) await client.waitForTransfer(undone.jobId);
  else console.log(undone.undoneCount satisfies number);
}

/** Compiled and never called. */
export function nameOf(event: LeadyardEvent): string {
  if (event.type === "audience.created") return event.data.name;
  // @ts-expect-error: other events have no name.
  return event.data.name;
}

test("every operation has a type of its data", () => {
  type Untyped = {
    [Id in keyof typeof OPERATIONS]: [DataOf<Id>] extends [never] ? Id : unknown extends DataOf<Id> ? Id : never;
  }[keyof typeof OPERATIONS];
  const none: Untyped[] = [];
  const all: [Untyped] extends [never] ? true : Untyped = true;
  assert.deepEqual([none, all], [[], true]);
  assert.ok(Object.keys(OPERATIONS).length > 50);
});
