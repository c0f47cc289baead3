import { useState } from "preact/hooks";
import { call } from "./api";
import { asRefusal, useApp, useLoad } from "./app";
import { Button, Confirm, Empty, Loading, Trouble, ViewHead } from "./parts";
import { nameOf } from "./PeopleTable";
import { fieldOf } from "./PersonPanel";
import { t } from "./text";
import type { DuplicateGroup, Page, Person } from "./types";

const COMPARED = ["name", "title", "company.name", "email", "phone", "location", "linkedinUrl"];

/** Likely duplicates side by side. */
export function DuplicatesView() {
  const app = useApp();
  const [older, setOlder] = useState<DuplicateGroup[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const loaded = useLoad(async (signal) => {
    const { data } = await call<Page<DuplicateGroup>>("GET", `${app.base}/duplicates`, { query: { limit: 20 }, signal });
    setOlder([]);
    setNext(data.nextCursor);
    return data.items;
  // The service compares people in the background, so an empty list may fill up.
  }, [app.base, app.version], { everyMs: (data) => (data?.length === 0 ? 4_000 : null) });
  const more = async () => {
    try {
      const { data } = await call<Page<DuplicateGroup>>("GET", `${app.base}/duplicates`, { query: { limit: 20, cursor: next! } });
      setOlder((before) => [...before, ...data.items]);
      setNext(data.nextCursor);
    } catch (error) {
      app.notify({ tone: "bad", text: asRefusal(error).message || t.unreachable });
    }
  };
  const groups = [...(loaded.data ?? []), ...older];
  return (
    <div class="view">
      <ViewHead title={t.duplicates.title} lead={t.duplicates.lead} />
      {loaded.error && <Trouble error={loaded.error} onRetry={loaded.reload} />}
      {!loaded.data && !loaded.error && <Loading />}
      {loaded.data && !groups.length && <Empty icon="duplicates" title={t.duplicates.empty} hint={t.duplicates.emptyHint} />}
      {groups.map((group) => <Group key={group.reason + group.prospects.map((person) => person.id).join()} group={group} />)}
      {next && <Button label={t.history.load} onClick={() => void more()} />}
    </div>
  );
}

function Group({ group }: { group: DuplicateGroup }) {
  const app = useApp();
  const [merging, setMerging] = useState<{ kept: Person; other: Person } | null>(null);
  const [keptId, setKept] = useState(group.prospects[0]?.id);
  const kept = group.prospects.find((person) => person.id === keptId) ?? group.prospects[0]!;
  const name = `keep-${group.prospects.map((person) => person.id).join("-")}-${group.reason}`;
  const shown = COMPARED.filter((field) => group.prospects.some((person) => fieldOf(person, field)));
  const differs = (field: string) => new Set(group.prospects.map((person) => fieldOf(person, field)).filter(Boolean)).size > 1;
  return (
    <section class="duplicate">
      <h2>{t.duplicates.reasons[group.reason] ?? group.reason}</h2>
      <div class="wide-table" tabIndex={0} role="region" aria-label={nameOf(kept)}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t.duplicates.field}</th>
              {group.prospects.map((person) => <th key={person.id} scope="col"><label class="choice"><input type="radio" name={name} checked={person.id === kept.id} onChange={() => setKept(person.id)} />{t.duplicates.keep}<span class="visually-hidden"> {nameOf(person)}</span></label></th>)}
            </tr>
          </thead>
          <tbody>
            {shown.map((field) => <tr key={field} class={differs(field) ? "differs" : ""}><th scope="row">{t.fields[field]}</th>{group.prospects.map((person) => <td key={person.id} dir="auto">{fieldOf(person, field)}</td>)}</tr>)}
            <tr><td />{group.prospects.map((person) => <td key={person.id}>{person.id !== kept.id && <Button label={t.duplicates.mergeInto(nameOf(kept))} needs="audiences:write" onClick={() => setMerging({ kept, other: person })} />}</td>)}</tr>
          </tbody>
        </table>
      </div>
      {merging && <Confirm title={t.duplicates.mergeInto(nameOf(merging.kept))} question={t.duplicates.hint} label={t.duplicates.mergeInto(nameOf(merging.kept))} onDone={() => setMerging(null)} run={async () => {
        const { data } = await call<{ audienceCount: number }>("POST", `${app.base}/prospects/${merging.kept.id}/merge`, { body: { prospectId: merging.other.id } });
        app.notify({ tone: "good", text: t.duplicates.merged(nameOf(merging.kept), data.audienceCount) });
        app.refresh();
      }} />}
    </section>
  );
}
