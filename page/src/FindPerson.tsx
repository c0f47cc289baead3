import type { TargetedKeyboardEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "./api";
import { useApp, useLoad } from "./app";
import { Typed } from "./Filters";
import { Button, Empty, Loading, Trouble, ViewHead } from "./parts";
import { nameOf } from "./PeopleTable";
import { PersonPanel } from "./PersonPanel";
import { go, linkTo } from "./router";
import { people, t } from "./text";
import type { Page, Person } from "./types";

const STEP = 50;
const LONGEST_PAGE = 200;
const BOX = "find-person";
const ADDRESS_OF_PROFILE = /linkedin\.(com|cn)\/|^urn:li:/i;

/** Opens the search from everywhere in the page with Ctrl+K, or ⌘K. */
export function useFindKey(group: string): void {
  useEffect(() => {
    const typed = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      const box = document.getElementById(BOX) as HTMLInputElement | null;
      if (box) { box.focus(); box.select(); } else go(linkTo(["g", group, "people"]));
    };
    window.addEventListener("keydown", typed);
    return () => window.removeEventListener("keydown", typed);
  }, [group]);
}

/** Finds a person in all lists. */
export function FindPersonView({ query }: { query: URLSearchParams }) {
  const app = useApp();
  const text = query.get("q")?.trim() ?? "";
  const open = query.get("person") ?? undefined;
  const [most, setMost] = useState(STEP);
  const results = useRef<HTMLDivElement>(null);
  const linkWith = (changes: Record<string, string | undefined>) => linkTo(["g", app.group, "people"], { ...Object.fromEntries(query), ...changes });
  const found = useLoad((signal) => (text ? firstPeople(`${app.base}/prospects`, text, most, signal) : Promise.resolve(null)), [app.base, app.version, text, most]);
  useEffect(() => setMost(STEP), [text]);
  useEffect(() => { if (!open) document.getElementById(BOX)?.focus(); }, []);
  // The arrow keys lead from the box through the results.
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const step = ({ ArrowDown: 1, ArrowUp: -1 } as Record<string, number>)[event.key];
    const places = [document.getElementById(BOX)!, ...(results.current?.querySelectorAll<HTMLElement>("a.person") ?? [])];
    const at = places.indexOf(document.activeElement as HTMLElement);
    if (!step || at < 0) return;
    event.preventDefault();
    places[Math.max(0, Math.min(places.length - 1, at + step))]!.focus();
  };
  if (!app.can("prospects:read")) return <div class="view"><Empty whole icon="search" title={t.find.title} hint={t.lacks("prospects:read")} /></div>;
  const data = text ? found.data : null;
  return (
    <div class="view list-view" onKeyDown={onKeyDown}>
      <a class="to-lists" href={linkTo(["g", app.group])}>{t.back}</a>
      <ViewHead title={t.find.title} lead={t.find.lead} />
      <div class="filters finding" role="search">
        <Typed id={BOX} label={t.find.box} value={query.get("q") ?? ""} onChange={(q) => go(linkWith({ q, person: undefined }), true)} />
        <span class="faint" role="status">{data && !found.loading ? (data.more ? t.find.first(data.items.length) : people(data.items.length)) : ""}</span>
      </div>
      <div class="table-and-panel">
        {!text ? <Empty icon="search" title={t.find.start} hint={t.find.startHint} />
          : found.error ? <Trouble error={found.error} onRetry={found.reload} />
          : !data || (found.loading && !data.items.length) ? <Loading />
          : !data.items.length ? <Empty icon="person" title={t.find.none(text)} hint={t.find.noneHint} />
          : (
            <div ref={results} class="found" aria-busy={found.loading}>
              <ul aria-label={t.find.results}>{data.items.map((person) => <Result key={person.id} person={person} link={linkWith({ person: person.id })} isOpen={person.id === open} />)}</ul>
              {data.more && <Button label={t.history.load} onClick={() => setMost(most + STEP)} />}
            </div>
          )}
        {open && <PersonPanel key={open} id={open} onClose={() => go(linkWith({ person: undefined }))} />}
      </div>
    </div>
  );
}

function Result({ person, link, isOpen }: { person: Person; link: string; isOpen: boolean }) {
  const app = useApp();
  const work = [person.title, person.company.name].filter(Boolean).join(" · ");
  return (
    <li class={isOpen ? "open" : ""}>
      <a class="person" href={link} aria-current={isOpen ? "true" : undefined} dir="auto">{nameOf(person)}</a>
      <span class="faint" dir="auto">{work}</span>
      {person.audiences?.length
        ? <span class="its-lists"><span class="visually-hidden">{t.find.inLists}</span>{person.audiences.map((list) => <a key={list.id} class="tag" dir="auto" href={linkTo(["g", app.group, "lists", list.id], { person: person.id })}>{list.name}</a>)}</span>
        : <span class="faint">{t.person.noLists}</span>}
    </li>
  );
}

/** Reads the first people who match, up to `most`. The address of a profile is looked up, any other text is searched. */
async function firstPeople(path: string, text: string, most: number, signal: AbortSignal): Promise<{ items: Person[]; more: boolean }> {
  const wanted = ADDRESS_OF_PROFILE.test(text) ? { linkedinUrl: text } : { q: text };
  const items: Person[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await call<Page<Person>>("GET", path, { query: { ...wanted, limit: Math.min(LONGEST_PAGE, most - items.length), cursor }, signal });
    items.push(...data.items);
    cursor = data.nextCursor ?? undefined;
  } while (cursor && items.length < most);
  return { items, more: Boolean(cursor) };
}
