import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import { Button, Field } from "./parts";
import { t } from "./text";
import type { Filter } from "./types";

const MORE = ["company", "title", "hasEmail", "after", "before"] as const;
const TYPING_MS = 250;

/** Returns the filter of an address. Days in it are days of the reader's own time zone. */
export function filterOf(query: URLSearchParams): Filter {
  const filter: Filter = {};
  for (const name of ["q", "company", "title"] as const) {
    const value = query.get(name)?.trim();
    if (value) filter[name] = value;
  }
  const hasEmail = query.get("hasEmail");
  if (hasEmail) filter.hasEmail = hasEmail === "true";
  const after = query.get("after"), before = query.get("before");
  if (after && !isNaN(Date.parse(after))) filter.addedAfter = new Date(`${after}T00:00`).toISOString();
  if (before && !isNaN(Date.parse(before))) filter.addedBefore = new Date(`${before}T00:00`).toISOString();
  return filter;
}

export function Filters({ query, onChange }: { query: URLSearchParams; onChange: (changes: Record<string, string | undefined>) => void }) {
  const active = MORE.filter((name) => query.get(name)).length;
  const [open, setOpen] = useState(active > 0);
  return (
    <div class="filters" role="search">
      <Typed label={t.filters.search} value={query.get("q") ?? ""} onChange={(q) => onChange({ q })} />
      <button type="button" class="button quiet" aria-expanded={open} aria-controls="more-filters" onClick={() => setOpen(!open)}><Icon name={open ? "down" : "right"} /><span>{active ? t.filters.active(active) : t.filters.more}</span></button>
      {(active > 0 || query.get("q")) && <Button label={t.table.clear} kind="quiet" onClick={() => onChange(Object.fromEntries(["q", ...MORE].map((name) => [name, undefined])))} />}
      {open && (
        <div id="more-filters" class="more-filters">
          <Field label={t.filters.company}>{(id) => <Text id={id} value={query.get("company") ?? ""} onChange={(company) => onChange({ company })} />}</Field>
          <Field label={t.filters.title}>{(id) => <Text id={id} value={query.get("title") ?? ""} onChange={(title) => onChange({ title })} />}</Field>
          <Field label={t.filters.hasEmail}>
            {(id) => <select id={id} value={query.get("hasEmail") ?? ""} onChange={(event) => onChange({ hasEmail: event.currentTarget.value })}><option value="">{t.filters.any}</option><option value="true">{t.filters.yes}</option><option value="false">{t.filters.no}</option></select>}
          </Field>
          <Field label={t.filters.after}>{(id) => <input id={id} type="date" value={query.get("after") ?? ""} onChange={(event) => onChange({ after: event.currentTarget.value })} />}</Field>
          <Field label={t.filters.before}>{(id) => <input id={id} type="date" value={query.get("before") ?? ""} onChange={(event) => onChange({ before: event.currentTarget.value })} />}</Field>
        </div>
      )}
    </div>
  );
}

/** A search box. */
export function Typed({ id, label, value, onChange }: { id?: string; label: string; value: string; onChange: (value: string) => void }) {
  return <div class="search"><Icon name="search" /><Text id={id} label={label} type="search" value={value} onChange={onChange} /></div>;
}

/** A text field that reports a value once the typing pauses, or the focus leaves: what you click next then has it already. */
function Text({ id, label, type = "text", value, onChange }: { id?: string; label?: string; type?: "text" | "search"; value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const timer = useRef(0);
  const sent = useRef(value);
  // The address may change otherwise, for example by the back button.
  useEffect(() => { if (value !== sent.current) { sent.current = value; setText(value); } }, [value]);
  const send = (next: string) => { if (next !== sent.current) { sent.current = next; onChange(next); } };
  return (
    <input id={id} {...({ type } as { type: "text" })} aria-label={label} placeholder={label} maxLength={200} value={text}
      onInput={(event) => { const next = event.currentTarget.value; setText(next); clearTimeout(timer.current); timer.current = window.setTimeout(() => send(next), TYPING_MS); }}
      onBlur={() => { clearTimeout(timer.current); send(text); }}
      onKeyDown={(event) => { if (event.key === "Enter") { clearTimeout(timer.current); send(text); } }} />
  );
}
