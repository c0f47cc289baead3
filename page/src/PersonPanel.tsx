import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "./api";
import { useApp, useLoad } from "./app";
import { ChangeList } from "./ChangeList";
import { Button, Confirm, Field, Loading, Trouble } from "./parts";
import { nameOf } from "./PeopleTable";
import { linkTo } from "./router";
import { number, t } from "./text";
import type { Change, Page, Person } from "./types";

const EDITED = ["firstName", "lastName", "name", "title", "email", "phone", "location", "linkedinUrl", "company.name", "company.industry", "company.website", "headline", "about"] as const;
type Edited = (typeof EDITED)[number];

/** Returns the field as text. A field of the company has a dot in its name. */
export function fieldOf(person: Person, field: string): string {
  const [outer, inner] = field.split(".");
  const value = inner ? (person.company as unknown as Record<string, string | null>)[inner] : (person as unknown as Record<string, string | null>)[outer!];
  return value ?? "";
}

/** One person: the fields, the lists, the history. */
export function PersonPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const app = useApp();
  const [tab, setTab] = useState<"fields" | "lists" | "history">("fields");
  const [editing, setEditing] = useState(false);
  const [erasing, setErasing] = useState(false);
  const panel = useRef<HTMLElement>(null);
  const loaded = useLoad(async (signal) => (await call<Person>("GET", `${app.base}/prospects/${id}`, { signal })).data, [id, app.version]);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    panel.current!.focus();
    return () => { if (before?.isConnected) before.focus(); };
  }, []);
  const { data } = loaded;
  return (
    <aside ref={panel} class="panel" tabIndex={-1} aria-label={data ? nameOf(data) : t.person.title} onKeyDown={(event) => { if (event.key === "Escape" && !document.querySelector("dialog[open]")) onClose(); }}>
      <header>
        <div><h2 dir="auto">{data ? nameOf(data) : t.person.title}</h2>{data && <p class="faint" dir="auto">{[data.title, data.company.name].filter(Boolean).join(" · ")}</p>}</div>
        <Button label={t.close} icon="close" iconOnly kind="quiet" onClick={onClose} />
      </header>
      {loaded.error && !data && <Trouble error={loaded.error} onRetry={loaded.reload} />}
      {!data && !loaded.error && <Loading />}
      {data && (
        <>
          <div class="tabs" role="tablist">
            {(["fields", "lists", "history"] as const).map((each) => (
              <button key={each} type="button" role="tab" id={`tab-${each}`} aria-selected={tab === each} aria-controls="panel-body" tabIndex={tab === each ? 0 : -1} onClick={() => setTab(each)}
                onKeyDown={(event) => {
                  const step = ({ ArrowRight: 1, ArrowLeft: -1 } as Record<string, number>)[event.key];
                  if (!step) return;
                  const order = ["fields", "lists", "history"] as const;
                  const next = order[(order.indexOf(each) + step + 3) % 3]!;
                  setTab(next);
                  document.getElementById(`tab-${next}`)?.focus();
                }}>{t.person[each]}</button>
            ))}
          </div>
          <div id="panel-body" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0} class="panel-body">
            {tab === "fields" && (editing ? <EditForm person={data} onDone={() => setEditing(false)} /> : <Fields person={data} />)}
            {tab === "lists" && (data.audiences?.length
              ? <ul class="plain">{data.audiences.map((list) => <li key={list.id}><a href={linkTo(["g", app.group, "lists", list.id], { person: id })}>{list.name}</a> <span class="count">{number(list.prospectCount)}</span></li>)}</ul>
              : <p class="faint">{t.person.noLists}</p>)}
            {tab === "history" && <PersonHistory id={id} />}
          </div>
          {tab === "fields" && !editing && (
            <footer>
              <Button label={t.person.edit} needs="audiences:write" onClick={() => setEditing(true)} />
              <Button label={t.person.erase} icon="erase" kind="danger" needs="audiences:write" onClick={() => setErasing(true)} />
            </footer>
          )}
          {erasing && <Confirm title={t.person.erase} question={t.person.eraseQuestion(nameOf(data))} label={t.person.erase} onDone={() => setErasing(false)} run={async () => {
            await call("DELETE", `${app.base}/prospects/${id}`);
            app.notify({ tone: "good", text: t.person.erased(nameOf(data)) });
            app.refresh();
            onClose();
          }} />}
        </>
      )}
    </aside>
  );
}

function Fields({ person }: { person: Person }) {
  const shown = [...EDITED, "providerId"].filter((field) => fieldOf(person, field));
  const custom = Object.entries(person.customFields);
  return (
    <>
      <dl>{shown.map((field) => <div key={field}><dt>{t.fields[field]}</dt><dd dir="auto">{field === "linkedinUrl" ? <ProfileLink url={fieldOf(person, field)} /> : fieldOf(person, field)}</dd></div>)}</dl>
      {custom.length > 0 && <><h3>{t.person.custom}</h3><dl>{custom.map(([name, value]) => <div key={name}><dt dir="auto">{name}</dt><dd dir="auto">{value}</dd></div>)}</dl></>}
      <p class="faint">{t.person.since(person.createdAt)}</p>
    </>
  );
}

/** Links to LinkedIn only, whatever the text is. */
function ProfileLink({ url }: { url: string }) {
  return /^https:\/\/([a-z]+\.)?linkedin\.com\//.test(url) ? <a href={url} target="_blank" rel="noreferrer noopener">{url}</a> : <>{url}</>;
}

function EditForm({ person, onDone }: { person: Person; onDone: () => void }) {
  const app = useApp();
  const [values, setValues] = useState<Record<Edited, string>>(() => Object.fromEntries(EDITED.map((field) => [field, fieldOf(person, field)])) as Record<Edited, string>);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    const body: Record<string, unknown> = {};
    const company: Record<string, string | null> = {};
    for (const field of EDITED) {
      const value = values[field].trim();
      if (value === fieldOf(person, field)) continue;
      const [outer, inner] = field.split(".");
      if (inner) company[inner] = value || null;
      else body[outer!] = value || null;
    }
    if (Object.keys(company).length) body.company = company;
    if (!Object.keys(body).length) return onDone();
    setBusy(true);
    try {
      await call("PATCH", `${app.base}/prospects/${person.id}`, { body });
      app.notify({ tone: "good", text: t.person.saved });
      app.refresh();
      onDone();
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit}>
      {EDITED.map((field, index) => (
        <Field key={field} label={t.fields[field]!}>
          {(id) => field === "about"
            ? <textarea id={id} rows={3} value={values[field]} onInput={(event) => setValues({ ...values, [field]: event.currentTarget.value })} />
            : <input id={id} dir="auto" autofocus={index === 0} value={values[field]} onInput={(event) => setValues({ ...values, [field]: event.currentTarget.value })} />}
        </Field>
      ))}
      {refusal ? <Trouble error={refusal} /> : null}
      <footer><Button label={t.cancel} onClick={onDone} /><Button type="submit" kind="main" label={t.save} disabled={busy} /></footer>
    </form>
  );
}

function PersonHistory({ id }: { id: string }) {
  const app = useApp();
  const loaded = useLoad(async (signal) => (await call<Page<Change>>("GET", `${app.base}/prospects/${id}/changes`, { query: { limit: 50 }, signal })).data.items, [id, app.version]);
  if (loaded.error) return <Trouble error={loaded.error} onRetry={loaded.reload} />;
  if (!loaded.data) return <Loading />;
  return loaded.data.length ? <ChangeList changes={loaded.data} /> : <p class="faint">{t.person.noHistory}</p>;
}
