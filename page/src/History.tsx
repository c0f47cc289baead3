import { useEffect, useState } from "preact/hooks";
import { call } from "./api";
import { asRefusal, listsOf, useApp } from "./app";
import { ChangeList } from "./ChangeList";
import { Button, Empty, Field, Loading, Trouble, ViewHead } from "./parts";
import { go, linkTo } from "./router";
import { t } from "./text";
import type { Change, ChangeKind, Page } from "./types";

/** The record of changes of the account group or of one list. */
export function HistoryView({ query }: { query: URLSearchParams }) {
  const app = useApp();
  const list = query.get("list") ?? undefined, kind = query.get("kind") ?? undefined;
  const [state, setState] = useState<{ changes: Change[] | null; next: string | null; error: unknown }>({ changes: null, next: null, error: null });
  const load = async (cursor?: string, before: Change[] = []) => {
    try {
      const { data } = await call<Page<Change>>("GET", `${app.base}/changes`, { query: { limit: 50, audienceId: list, kind, cursor } });
      setState({ changes: [...before, ...data.items], next: data.nextCursor, error: null });
    } catch (error) {
      setState((now) => ({ ...now, error: asRefusal(error) }));
    }
  };
  useEffect(() => { void load(); }, [app.base, app.version, list, kind]);
  const change = (changes: Record<string, string | undefined>) => go(linkTo(["g", app.group, "history"], { list, kind, ...changes }), true);
  return (
    <div class="view">
      <ViewHead title={list ? `${t.nav.history}: ${app.listName(list) ?? t.history.gone}` : t.history.title} lead={t.history.lead} />
      <div class="filters">
        <Field label={t.history.list}>{(id) => <select id={id} value={list ?? ""} onChange={(event) => change({ list: event.currentTarget.value })}><option value="">{t.history.allLists}</option>{listsOf(app.navigation).map((each) => <option key={each.id} value={each.id}>{each.name}</option>)}</select>}</Field>
        <Field label={t.history.kind}>{(id) => <select id={id} value={kind ?? ""} onChange={(event) => change({ kind: event.currentTarget.value })}><option value="">{t.history.allKinds}</option>{(Object.keys(t.history.kinds) as ChangeKind[]).map((each) => <option key={each} value={each}>{t.history.kinds[each]}</option>)}</select>}</Field>
      </div>
      {state.error ? <Trouble error={state.error} onRetry={() => void load()} /> : null}
      {!state.changes && !state.error && <Loading />}
      {state.changes && (state.changes.length ? <ChangeList changes={state.changes} /> : <Empty icon="history" title={t.history.empty} />)}
      {state.next && <Button label={t.history.load} onClick={() => void load(state.next!, state.changes ?? [])} />}
    </div>
  );
}
