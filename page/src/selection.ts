// The selection of people in a list: single people, or all that match but some.

import type { Filter } from "./types";

export type Selection = { kind: "ids"; ids: ReadonlySet<string> } | { kind: "all"; except: ReadonlySet<string> };

export const NONE: Selection = { kind: "ids", ids: new Set() };

export const isSelected = (selection: Selection, id: string) => (selection.kind === "ids" ? selection.ids.has(id) : !selection.except.has(id));

/** Returns the number of selected people. `matching` is the number of all that match, null if it is not known. */
export function sizeOf(selection: Selection, matching: number | null): number | null {
  if (selection.kind === "ids") return selection.ids.size;
  return matching === null ? null : Math.max(0, matching - selection.except.size);
}

/** Returns the selection with these people in or out. */
export function withPeople(selection: Selection, ids: Iterable<string>, selected: boolean): Selection {
  const isIds = selection.kind === "ids";
  const next = new Set(isIds ? selection.ids : selection.except);
  for (const id of ids) {
    if (selected === isIds) next.add(id);
    else next.delete(id);
  }
  return isIds ? { kind: "ids", ids: next } : { kind: "all", except: next };
}

/** Returns the selection as the API reads it. */
export function asRequest(selection: Selection, filter: Filter): { select: object; exclude?: object } {
  if (selection.kind === "ids") return { select: { leadIds: [...selection.ids] } };
  const select = Object.keys(filter).length ? { filter } : { all: true };
  return selection.except.size ? { select, exclude: { leadIds: [...selection.except] } } : { select };
}
