import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { ActDialog, type Action } from "./ActDialog";
import { call, download } from "./api";
import { asRefusal, useApp, useLoad } from "./app";
import { filterOf, Filters } from "./Filters";
import { FolderDialog, NameDialog } from "./ListDialogs";
import { Button, Confirm, Dialog, Empty, Loading, Menu, Trouble, ViewHead } from "./parts";
import { COLUMNS, PeopleTable, type Column } from "./PeopleTable";
import { PersonPanel } from "./PersonPanel";
import { go, linkTo } from "./router";
import { Rows } from "./rows";
import { NONE, sizeOf, withPeople, type Selection } from "./selection";
import { people, t } from "./text";
import type { Audience, Preview } from "./types";

const COLUMNS_KEPT = "leadyard-columns";
const NARROW = window.matchMedia("(max-width: 640px)");
type Asked = "rename" | "folder" | "delete" | "columns" | null;

/** The people of a list. */
export function ListView({ id, query }: { id: string; query: URLSearchParams }) {
  const app = useApp();
  const path = `${app.base}/audiences/${id}`;
  const list = useLoad(async (signal) => (await call<Audience>("GET", path, { signal })).data, [path, app.version],
    // A job is filling the list, so it is worth another look.
    { everyMs: (data) => (data ? null : 2000) });
  const filterText = query.toString();
  const filter = useMemo(() => filterOf(query), [filterText]);
  const isFiltered = Object.keys(filter).length > 0;
  const [, draw] = useReducer((n: number, _: void) => n + 1, 0);
  const [rows, setRows] = useState<Rows | null>(null);
  const [selection, setSelection] = useState<Selection>(NONE);
  const [acting, setActing] = useState<Action | null>(null);
  const [asked, setAsked] = useState<Asked>(null);
  const [columns, setColumns] = useState<Column[]>(storedColumns);
  const narrow = useNarrow();
  const filterKey = JSON.stringify(filter);

  useEffect(() => {
    // The rows that are there stay until the first new ones have arrived, so the table keeps its place and the focus.
    const next = new Rows(`${path}/prospects`, filter, () => { setRows(next); draw(); });
    next.want(0, 1);
    return () => next.close();
  }, [path, filterKey, app.version]);
  // Another filter shows other people, so an invisible selection would be a trap.
  useEffect(() => setSelection(NONE), [path, filterKey]);
  const matching = useMatching(id, filter, isFiltered, list.data, rows?.end ?? null);

  if (list.error && !list.data) return <div class="view">{list.error.code === "NOT_FOUND" ? <Empty whole icon="warning" title={t.notHere} hint={t.notHereHint} /> : <Trouble error={list.error} onRetry={list.reload} />}</div>;
  if (!list.data || !rows) return <div class="view"><Loading /></div>;
  const { data } = list;
  const count = rows.end ?? (isFiltered ? Math.max(rows.reached, matching ?? rows.reached + 1) : Math.max(data.prospectCount, rows.reached));
  const selected = sizeOf(selection, matching);
  const canSelect = selection.kind === "all" || (selected ?? 0) > 0;
  const openPerson = query.get("person");
  const linkWith = (changes: Record<string, string | undefined>) => linkTo(["g", app.group, "lists", id], { ...Object.fromEntries(query), ...changes });
  const trouble = (error: unknown) => { const refusal = asRefusal(error); app.notify({ tone: "bad", text: refusal.message || t.unreachable, detail: refusal.details }); };

  return (
    <div class="view list-view">
      <a class="to-lists" href={linkTo(["g", app.group])}>{t.back}</a>
      <ViewHead title={data.name} lead={[people(data.prospectCount), data.description].filter(Boolean).join(" · ")}>
        <Button label={t.table.columns} icon="columns" kind="quiet" onClick={() => setAsked("columns")} />
        <Button label={t.table.export} icon="download" kind="quiet" needs="prospects:read" onClick={() => download(`${path}/prospects.csv`, `${data.name}.csv`).catch(trouble)} />
        <Menu label={t.lists.options(data.name)} items={[
          { label: t.lists.rename, run: () => setAsked("rename"), needs: "audiences:write" },
          { label: t.lists.toFolder, icon: "folder", run: () => setAsked("folder"), needs: "audiences:write" },
          { label: t.history.ofList, icon: "history", run: () => go(linkTo(["g", app.group, "history"], { list: id })) },
          { label: t.lists.remove, icon: "erase", run: () => setAsked("delete"), needs: "audiences:write" },
        ]} />
      </ViewHead>
      <Filters query={query} onChange={(changes) => go(linkWith({ ...changes, person: undefined }), true)} />
      <div class={`act-bar ${canSelect ? "on" : ""}`} role="region" aria-label={t.table.select}>
        {canSelect ? (
          <>
            <strong role="status">{selected === null ? t.act.allSelected : t.act.selected(selected)}</strong>
            <Button label={t.act.move} icon="move" kind="main" needs="audiences:write" onClick={() => setActing("move")} />
            <Button label={t.act.copy} icon="copy" needs="audiences:write" onClick={() => setActing("copy")} />
            <Button label={t.act.remove} icon="remove" needs="audiences:write" onClick={() => setActing("remove")} />
            {app.features.transfers && selection.kind === "ids" && <Button label={t.act.selectAll(matching)} kind="quiet" onClick={() => setSelection({ kind: "all", except: new Set() })} />}
            <Button label={t.act.clear} icon="close" kind="quiet" onClick={() => setSelection(NONE)} />
          </>
        ) : (
          <>
            <span class="faint">{rows.end === 0 ? "" : matching === null ? "" : people(matching)}</span>
            {app.features.transfers && rows.end !== 0 && <Button label={t.act.selectAll(matching)} kind="quiet" needs="audiences:write" onClick={() => setSelection({ kind: "all", except: new Set() })} />}
          </>
        )}
      </div>
      <div class="table-and-panel">
        {rows.error && !rows.reached ? <Trouble error={rows.error} onRetry={() => rows.retry()} />
          : rows.end === 0 ? (isFiltered
            ? <Empty icon="search" title={t.table.noMatch} hint={t.table.noMatchHint}><Button label={t.table.clear} onClick={() => go(linkTo(["g", app.group, "lists", id]), true)} /></Empty>
            : <Empty icon="person" title={t.table.empty} hint={t.table.emptyHint}><a class="button main" href={linkTo(["g", app.group, "import"], { into: id })}>{t.nav.import}</a></Empty>)
          : rows.reached === 0 ? <Loading />
          : <PeopleTable label={t.table.label(data.name)} place={path + filterKey} rows={rows} count={count} columns={columns} narrow={narrow} selection={selection}
              onSelect={(ids, on) => setSelection((now) => withPeople(now, ids, on))} onOpen={(person) => go(linkWith({ person: person.id }))} onTrouble={trouble} />}
        {openPerson && <PersonPanel key={openPerson} id={openPerson} onClose={() => go(linkWith({ person: undefined }))} />}
      </div>
      {acting && <ActDialog action={acting} source={data} selection={selection} filter={filter} matching={matching} onClose={() => setActing(null)} onDone={() => { setActing(null); setSelection(NONE); }}
        onLeaveOut={(ids) => setSelection((now) => withPeople(now, ids, false))} onAgain={() => { go(linkWith({ person: undefined })); setSelection(selection); setActing(acting); }} />}
      {asked === "rename" && <NameDialog title={t.lists.rename} label={t.save} name={data.name} description={data.description ?? ""} withDescription onClose={() => setAsked(null)} run={async (named) => { await call("PATCH", path, { body: { name: named.name, description: named.description || null } }); app.refresh(); }} />}
      {asked === "folder" && <FolderDialog list={data} onClose={() => setAsked(null)} />}
      {asked === "delete" && <Confirm title={t.lists.remove} question={t.lists.deleteQuestion(data.name, data.prospectCount)} label={t.lists.remove} onDone={() => setAsked(null)} run={async () => { await call("DELETE", path); app.notify({ tone: "good", text: t.lists.deleted(data.name) }); go(linkTo(["g", app.group]), true); app.refresh(); }} />}
      {asked === "columns" && <ColumnsDialog columns={columns} onClose={() => setAsked(null)} onChange={(next) => { setColumns(next); localStorage.setItem(COLUMNS_KEPT, JSON.stringify(next)); }} />}
    </div>
  );
}

/** The number of people that match. Without a filter it is the count of the list; with one the service counts. */
function useMatching(id: string, filter: object, isFiltered: boolean, list: Audience | null, end: number | null): number | null {
  const app = useApp();
  const counted = useLoad(async (signal) => {
    if (!isFiltered || !app.features.transfers || !app.can("audiences:write")) return null;
    const body = { action: "remove", sourceAudienceId: id, select: { filter }, dryRun: true };
    return (await call<Preview>("POST", `${app.base}/transfers`, { body, signal })).data.count;
  }, [id, JSON.stringify(filter), app.features.transfers, app.version]);
  if (!isFiltered) return list?.prospectCount ?? null;
  return end ?? (counted.loading ? null : counted.data);
}

function ColumnsDialog({ columns, onChange, onClose }: { columns: Column[]; onChange: (columns: Column[]) => void; onClose: () => void }) {
  return (
    <Dialog title={t.table.columns} onClose={onClose}>
      <fieldset class="choices">
      <legend class="visually-hidden">{t.table.columns}</legend>
      {COLUMNS.filter((each) => each !== "name").map((column) => (
        <label key={column} class="choice"><input type="checkbox" checked={columns.includes(column)} onChange={(event) => {
          const on = event.currentTarget.checked;
          onChange(COLUMNS.filter((each) => each === "name" || (each === column ? on : columns.includes(each))));
        }} />{t.columns[column]}</label>
      ))}
      </fieldset>
    </Dialog>
  );
}

function storedColumns(): Column[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(COLUMNS_KEPT) ?? "null");
    if (Array.isArray(found)) return COLUMNS.filter((each) => each === "name" || found.includes(each));
  } catch {
    // A broken value counts as none.
  }
  return ["name", "title", "company", "email", "location", "addedAt"];
}

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(NARROW.matches);
  const media = useRef(NARROW);
  useEffect(() => {
    const changed = () => setNarrow(media.current.matches);
    media.current.addEventListener("change", changed);
    return () => media.current.removeEventListener("change", changed);
  }, []);
  return narrow;
}
