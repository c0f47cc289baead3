import type { TargetedKeyboardEvent, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import type { Rows } from "./rows";
import { isSelected, type Selection } from "./selection";
import { date, t } from "./text";
import type { Person } from "./types";
import { BLOCK, useVirtual } from "./useVirtual";

export const COLUMNS = ["name", "title", "company", "email", "phone", "location", "linkedinUrl", "industry", "addedAt"] as const;
export type Column = (typeof COLUMNS)[number];

interface Props {
  label: string; place: string; rows: Rows; count: number; columns: Column[]; narrow: boolean; selection: Selection;
  onSelect: (ids: string[], selected: boolean) => void; onOpen: (person: Person) => void; onTrouble: (error: unknown) => void;
}

export const nameOf = (person: Pick<Person, "name" | "firstName" | "lastName" | "email" | "linkedinUrl">) =>
  person.name || [person.firstName, person.lastName].filter(Boolean).join(" ") || person.email || person.linkedinUrl || t.table.nameless;

function cellOf(person: Person, column: Column): string {
  if (column === "name") return nameOf(person);
  if (column === "company") return person.company.name ?? "";
  if (column === "industry") return person.company.industry ?? "";
  if (column === "addedAt") return person.addedAt ? date(person.addedAt) : "";
  if (column === "linkedinUrl") return (person.linkedinUrl ?? "").replace(/^https?:\/\/(www\.)?linkedin\.com\//, "");
  return person[column] ?? "";
}

/** A table of any length. Only the rows in view are in the document; the focus stays on the table and points at a row. */
export function PeopleTable({ label, place, rows, count, columns, narrow, selection, onSelect, onOpen, onTrouble }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const anchor = useRef(0);
  const rowHeight = narrow ? 56 : 36;
  const view = useVirtual(scroller, count, rowHeight);
  const shown = narrow ? (["name"] as Column[]) : columns;
  useEffect(() => rows.want(view.first, view.last + 1), [rows, view.first, view.last]);
  // After a change of the list the reader stays at the same place. Another filter begins at the top.
  useEffect(() => { scroller.current!.scrollTop = 0; setActive(0); anchor.current = 0; }, [place]);

  // A block that would look the same is the same element, which Preact does not compare again: scrolling draws only the
  // blocks that come into view.
  const cache = useRef({ state: [] as unknown[], blocks: new Map<number, { state: unknown[]; element: VNode }>() });
  const state = [rows, selection, columns, narrow, count];
  if (state.some((each, at) => each !== cache.current.state[at])) cache.current = { state, blocks: new Map() };
  const kept = (index: number, own: unknown[], draw: () => VNode) => {
    const found = cache.current.blocks.get(index);
    if (found && own.every((each, at) => each === found.state[at])) return found.element;
    const element = draw();
    cache.current.blocks.set(index, { state: own, element });
    if (cache.current.blocks.size > 40) cache.current.blocks.delete(cache.current.blocks.keys().next().value!);
    return element;
  };

  const selectTo = (index: number, range: boolean) => {
    const person = rows.get(index);
    if (!range) {
      anchor.current = index;
      if (person) onSelect([person.id], !isSelected(selection, person.id));
      return;
    }
    const [from, to] = anchor.current < index ? [anchor.current, index] : [index, anchor.current];
    rows.ids(from, to).then((ids) => onSelect(ids, true), onTrouble);
  };
  const moveTo = (index: number, range: boolean) => {
    const next = Math.max(0, Math.min(count - 1, index));
    setActive(next);
    view.scrollToRow(next);
    if (range) selectTo(next, true);
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    const page = Math.max(1, view.last - view.first - 1);
    const to = ({ ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: count - 1 } as Record<string, number>)[event.key];
    if (to !== undefined) { event.preventDefault(); moveTo(to, event.shiftKey); }
    else if (event.key === " ") { event.preventDefault(); selectTo(active, event.shiftKey); }
    else if (event.key === "Enter") { const person = rows.get(active); if (person) { event.preventDefault(); onOpen(person); } }
  };
  const visible = () => { const ids: string[] = []; for (let i = view.first; i < view.last; i++) { const person = rows.get(i); if (person) ids.push(person.id); } return ids; };
  const allVisible = view.last > view.first && visible().every((id) => isSelected(selection, id)) && visible().length > 0;

  return (
    <div class={`table ${narrow ? "narrow" : ""}`}>
      <div ref={scroller} class="scroller" role="grid" tabIndex={0} aria-label={label} aria-description={t.table.keys} aria-rowcount={count + 1} aria-colcount={shown.length + 1} aria-multiselectable="true" aria-activedescendant={rows.get(active) ? `row-${active}` : undefined} onKeyDown={onKeyDown}>
        <div role="rowgroup" class="head">
          <div role="row" aria-rowindex={1} class="row">
            <div role="columnheader" class="cell check">
              <input type="checkbox" tabIndex={-1} aria-label={t.table.selectVisible} title={t.table.selectVisible} checked={allVisible} onChange={() => onSelect(visible(), !allVisible)} />
            </div>
            {shown.map((column) => <div key={column} role="columnheader" class={`cell ${column}`}>{t.columns[column]}</div>)}
          </div>
        </div>
        <div role="rowgroup" class="body" style={{ height: `${view.height}px` }}>
          {view.blocks.map(({ index, top }) => kept(index, [top, active >= index * BLOCK && active < (index + 1) * BLOCK && active, rows.get(index * BLOCK)], () => (
            <div key={index} role="presentation" class="block" style={{ transform: `translateY(${top}px)` }}>
              {Array.from({ length: Math.min(BLOCK, count - index * BLOCK) }, (_, offset) => {
                const at = index * BLOCK + offset;
                const person = rows.get(at);
                const selected = person ? isSelected(selection, person.id) : false;
                return (
                  <div key={at} id={`row-${at}`} role="row" aria-rowindex={at + 2} aria-selected={selected} class={`row ${at === active ? "active" : ""} ${selected ? "selected" : ""}`}
                    onMouseDown={(event) => { if (event.shiftKey) event.preventDefault(); }}
                    onClick={(event) => {
                      const onBox = (event.target as HTMLElement).closest(".check");
                      setActive(at);
                      if (event.shiftKey || onBox || event.ctrlKey || event.metaKey) selectTo(at, event.shiftKey);
                      else if (person) onOpen(person);
                    }}>
                    <div role="gridcell" class="cell check">{person && <span class="box" aria-hidden="true">{selected && <Icon name="check" size={12} />}</span>}</div>
                    {person ? shown.map((column) => (
                      <div key={column} role="gridcell" class={`cell ${column}`}>
                        <span class="text" dir="auto">{cellOf(person, column)}</span>
                        {narrow && <span class="text faint" dir="auto">{[person.title, person.company.name].filter(Boolean).join(" · ")}</span>}
                      </div>
                    )) : <div role="gridcell" class="cell" aria-colspan={shown.length}><span class="skeleton" /><span class="visually-hidden">{t.table.loadingRow}</span></div>}
                  </div>
                );
              })}
            </div>
          )))}
        </div>
      </div>
      {rows.goal !== null && <p class="reading" role="status">{t.table.reading(rows.goal)}</p>}
    </div>
  );
}
