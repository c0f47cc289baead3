import { useState } from "preact/hooks";
import { call } from "./api";
import { asRefusal, useApp, useLoad } from "./app";
import { Button, Dialog, Loading, Trouble } from "./parts";
import { nameOf } from "./PeopleTable";
import { asRequest, sizeOf, type Selection } from "./selection";
import { number, t } from "./text";
import { TargetBox } from "./TargetBox";
import { reportDone } from "./undo";
import type { Audience, Filter, Preview } from "./types";
import { watchTransfer } from "./watch";

export type Action = "move" | "copy" | "remove";

const MOST_IDS = 10_000;
const PATHS = { move: "move-leads", copy: "copy-leads", remove: "remove-leads" };
interface Moved { sourceAudience?: Audience; targetAudience?: Audience; audience?: Audience }

/** Shows what a move, copy or removal will do, and does exactly that: the number on the button is sent along, and the service
 * refuses if it is no longer the number of people in the selection. */
export function ActDialog({ action, source, selection, filter, matching, onClose, onDone }: { action: Action; source: Audience; selection: Selection; filter: Filter; matching: number | null; onClose: () => void; onDone: () => void }) {
  const app = useApp();
  const [target, setTarget] = useState<Audience | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [refusal, setRefusal] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const isReady = action === "remove" || target !== null;
  const asked = { action, sourceAudienceId: source.id, ...(target && { targetAudienceId: target.id }), ...asRequest(selection, filter) };
  const preview = useLoad(async (signal) => {
    if (!isReady || !app.features.transfers) return null;
    return (await call<Preview>("POST", `${app.base}/transfers`, { body: { ...asked, dryRun: true }, signal })).data;
  }, [target?.id, turn, isReady]);
  const count = app.features.transfers ? (preview.data?.count ?? null) : sizeOf(selection, matching);
  const isShort = selection.kind === "ids" && selection.ids.size <= MOST_IDS;
  const tooMany = !app.features.transfers && !isShort ? t.act.tooMany : selection.kind === "all" && selection.except.size > 100_000 ? t.act.tooManyOut : null;

  const act = async (event: Event) => {
    event.preventDefault();
    if (!count) return;
    setBusy(true);
    setProblem(null);
    setRefusal(null);
    try {
      if (isShort) await actNow();
      else await startJob(count);
      onDone();
    } catch (error) {
      const { code, extra } = asRefusal(error);
      if (code === "SELECTION_CHANGED") setProblem(t.act.changed(Number(extra.count)));
      else if (code === "LEADS_NOT_IN_SOURCE") setProblem(t.act.gone);
      else setRefusal(error);
      setBusy(false);
      setTurn((n) => n + 1);
    }
  };
  const actNow = async () => {
    const body = { leadIds: [...(selection as { ids: ReadonlySet<string> }).ids], ...(target && { targetAudienceId: target.id }) };
    const { data, headers } = await call<Moved>("POST", `${app.base}/audiences/${source.id}/${PATHS[action]}`, { body });
    const after = [data.sourceAudience ?? data.audience, data.targetAudience].filter((each) => each !== undefined);
    reportDone(app, t.act.done[action](body.leadIds.length, target?.name ?? source.name), headers.get("Change-Id"), after.map((each) => ({ name: each.name, count: each.prospectCount })));
  };
  const startJob = async (expectedCount: number) => {
    const { data } = await call<{ jobId: string }>("POST", `${app.base}/transfers`, { body: { ...asked, expectedCount } });
    app.notify({ tone: "good", text: t.act.started });
    void watchTransfer(app, data.jobId, async (transfer) => {
      const counts = await Promise.all([source, target].filter((each) => each !== null).map(async (each) => (await call<Audience>("GET", `${app.base}/audiences/${each.id}`)).data));
      reportDone(app, t.act.done[action](transfer.count ?? 0, target?.name ?? source.name), transfer.changeId ?? null, counts.map((each) => ({ name: each.name, count: each.prospectCount })));
    });
  };

  return (
    <Dialog title={t.act.title[action]} onClose={onClose}>
      <form onSubmit={act}>
        {action !== "remove" && <TargetBox label={t.act.target} without={source.id} value={target} onChange={setTarget} />}
        {isReady && app.features.transfers && !preview.data && !preview.error && <Loading />}
        {isReady && <Effect action={action} source={source} target={target} preview={preview.data} count={count} />}
        <div role="alert">{(problem ?? tooMany) && <p class="problem">{problem ?? tooMany}</p>}</div>
        {refusal || preview.error ? <Trouble error={refusal ?? preview.error} /> : null}
        <footer>
          <Button label={t.cancel} onClick={onClose} />
          <Button type="submit" kind={action === "remove" ? "danger" : "main"} label={count === null ? t.act[action] : t.act.button[action](count)} disabled={busy || !isReady || !count || Boolean(tooMany) || preview.loading} />
        </footer>
      </form>
    </Dialog>
  );
}

function Effect({ action, source, target, preview, count }: { action: Action; source: Audience; target: Audience | null; preview: Preview | null; count: number | null }) {
  if (count === null) return null;
  if (count === 0) return <p class="faint">{t.act.nothing}</p>;
  const sourceAfter = preview?.sourceProspectCountAfter ?? (action === "copy" ? source.prospectCount : source.prospectCount - count);
  return (
    <section aria-label={t.act.will} class="effect">
      <table>
        <thead><tr><td /><th scope="col">{t.act.before}</th><th scope="col">{t.act.after}</th></tr></thead>
        <tbody>
          <tr><th scope="row">{source.name}</th><td>{number(source.prospectCount)}</td><td>{number(sourceAfter)}</td></tr>
          {target && <tr><th scope="row">{target.name}</th><td>{number(target.prospectCount)}</td><td>{preview?.targetProspectCountAfter == null ? "" : number(preview.targetProspectCountAfter)}</td></tr>}
        </tbody>
      </table>
      {preview && preview.alreadyInTargetCount > 0 && <p>{t.act.already(preview.alreadyInTargetCount)}</p>}
      {preview && preview.sample.length > 0 && <p class="faint sample"><span>{t.act.sample}: </span><span dir="auto">{preview.sample.slice(0, 5).map(nameOf).join(", ")}{preview.count > 5 ? " …" : ""}</span></p>}
    </section>
  );
}
