import Combobox from "@github/combobox-nav";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { listsOf, useApp } from "./app";
import { number, t } from "./text";
import type { Audience } from "./types";

const MOST = 50;

/** Finds a list by a part of its name. The arrow keys choose, Enter takes. */
export function TargetBox({ label, without, value, onChange }: { label: string; without?: string; value: Audience | null; onChange: (list: Audience | null) => void }) {
  const { navigation } = useApp();
  const id = useId().replace(/[^a-z0-9]/gi, "");
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const [query, setQuery] = useState(value?.name ?? "");
  const [open, setOpen] = useState(false);
  const wanted = query.trim().toLocaleLowerCase();
  const others = listsOf(navigation).filter((each) => each.id !== without);
  const found = others.filter((each) => each.name.toLocaleLowerCase().includes(wanted)).sort((a, b) => Number(b.name.toLocaleLowerCase().startsWith(wanted)) - Number(a.name.toLocaleLowerCase().startsWith(wanted))).slice(0, MOST);
  const take = useRef((_: string) => {});
  take.current = (listId) => {
    const chosen = others.find((each) => each.id === listId);
    if (!chosen) return;
    setQuery(chosen.name);
    setOpen(false);
    onChange(chosen);
  };
  const box = useRef<Combobox | null>(null);
  // In the same turn as the drawing, so that an Enter that is typed at once finds the options.
  useLayoutEffect(() => {
    const element = list.current!;
    const made = (box.current = new Combobox(input.current!, element, { firstOptionSelectionMode: "selected" }));
    const committed = (event: Event) => take.current((event.target as HTMLElement).dataset.id!);
    element.addEventListener("combobox-commit", committed);
    return () => { element.removeEventListener("combobox-commit", committed); made.destroy(); };
  }, []);
  useLayoutEffect(() => {
    if (!open) return;
    const made = box.current!, field = input.current!;
    made.start();
    // It forgets the option at each input, which may be before or after the options are drawn again.
    const typed = () => made.resetSelection();
    field.addEventListener("input", typed);
    return () => { field.removeEventListener("input", typed); made.stop(); };
  }, [open]);
  // A list that another tab or a job has just made may appear among the options.
  useLayoutEffect(() => { if (open) box.current!.resetSelection(); }, [open, query, found.map((each) => each.id).join()]);
  return (
    <div class="field target">
      <label for={`${id}-input`}>{label}</label>
      <input ref={input} id={`${id}-input`} role="combobox" autocomplete="off" spellcheck={false} autofocus placeholder={t.act.targetHint} value={query}
        onFocus={() => { if (!value) setOpen(true); }} onBlur={() => setTimeout(() => setOpen(false), 150)}
        onInput={(event) => { setQuery(event.currentTarget.value); setOpen(true); onChange(null); }}
        onKeyDown={(event) => { if (event.key === "Escape" && open) { event.preventDefault(); event.stopPropagation(); setOpen(false); } else if (event.key === "ArrowDown" && !open) setOpen(true); else if (event.key === "Enter" && open) event.preventDefault(); }} />
      <ul ref={list} id={`${id}-list`} role="listbox" aria-label={label} class="options" hidden={!open || !found.length}>
        {found.map((each) => <li key={each.id} id={`${id}-${each.id}`} role="option" data-id={each.id} onMouseDown={(event) => event.preventDefault()}><span class="name">{each.name}</span><span class="count">{number(each.prospectCount)}</span></li>)}
      </ul>
      {open && !found.length && <p class="faint">{t.act.noTarget(query)}</p>}
    </div>
  );
}
