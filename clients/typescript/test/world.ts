// The service that the tests use. `tests/clients/test_typescript.py` starts it and sets the variables.

import { Leadyard, type LeadyardOptions } from "leadyard-client";

export function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Returns a client of the service, or of a proxy before it. */
export function newClient(options: Partial<LeadyardOptions> = {}): Leadyard {
  return new Leadyard({
    baseUrl: setting("LEADYARD_URL"),
    apiKey: setting("LEADYARD_API_KEY"),
    accountGroupId: setting("ACCOUNT_GROUP"),
    ...options,
  });
}

export interface Yard {
  source: string;
  target: string;
  leads: string[];
}

/** Makes two audiences. The source has `count` people. */
export async function newYard(client: Leadyard, count: number): Promise<Yard> {
  const source = await client.createAudience({ name: "Source" });
  const target = await client.createAudience({ name: "Target" });
  for (let start = 0; start < count; start += 1000) {
    const numbers = Array.from({ length: Math.min(1000, count - start) }, (_, index) => start + index);
    await client.addProspects(
      source.id,
      numbers.map((number) => ({ email: `${source.id}-${number}@example.com` })),
    );
  }
  return { source: source.id, target: target.id, leads: await idsOf(client, source.id) };
}

export async function idsOf(client: Leadyard, audienceId: string): Promise<string[]> {
  const ids = [];
  for await (const { id } of client.prospects(audienceId)) ids.push(id);
  return ids;
}

/** Returns how many people the recorded moves out of the source have moved. People who were moved twice count twice. */
export async function movedOnRecord(client: Leadyard, yard: Yard): Promise<number> {
  let count = 0;
  for await (const { leadCount, sourceAudienceId } of client.changes({ kind: "move", audienceId: yard.source })) {
    if (sourceAudienceId === yard.source) count += leadCount;
  }
  return count;
}

/** Runs `work` for each item, `lanes` of them at the same time. */
export async function inLanes<Item>(
  lanes: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const lane = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
