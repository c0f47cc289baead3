import { useEffect, useState } from "preact/hooks";
import { call } from "./api";
import { asRefusal, listsOf, useApp, useLoad, useRetry } from "./app";
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
interface Props {
  action: Action; source: Audience; selection: Selection; filter: Filter; matching: number | null;
  onClose: () => void;
  /** The change is made, or its job has begun. */
  onDone: () => void;
  /** These people have left the list, so they cannot stay in the selection. */
  onLeaveOut: (ids: string[]) => void;
  /** Opens the same dialog again, because its job has refused. */
  onAgain: () => void;
}
interface Moved { sourceAudience?: Audience; targetAudience?: Audience; audience?: Audience }

/** Shows what a move, copy or removal will do, and does exactly that: the number on the button is sent along, and the service
 * refuses if it is no longer the number of people in the selection. */
export function ActDialog({ action, source, selection, filter, matching, onClose, onDone, onLeaveOut, onAgain }: Props) {
  const app = useApp();
  const [chosen, setTarget] = useState<Audience | null>(null);
  // With its present count, as the source has.
  const target = listsOf(app.navigation).find((each) => each.id === chosen?.id) ?? chosen;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [gone, setGone] = useState<{ ids: string[]; count: number } | null>(null);
  const retry = useRetry();
  const [refusal, setRefusal] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const isEmpty = sizeOf(selection, matching) === 0;
  const isReady = action === "remove" || target !== null;
  const asked = { action, sourceAudienceId: source.id, ...(target && { targetAudienceId: target.id }), ...asRequest(selection, filter) };
  const preview = useLoad(async (signal) => {
    if (!isReady || isEmpty || !app.features.transfers) return null;
    return (await call<Preview>("POST", `${app.base}/transfers`, { body: { ...asked, dryRun: true }, signal })).data;
  }, [target?.id, turn, isReady, selection]);
  useEffect(() => { setGone(goneOf(preview.error)); }, [preview.error]);
  const count = isEmpty ? 0 : app.features.transfers ? (preview.data?.count ?? null) : sizeOf(selection, matching);
  const isShort = selection.kind === "ids" && selection.ids.size <= MOST_IDS;
  const tooMany = !app.features.transfers && !isShort ? t.act.tooMany : selection.kind === "all" && selection.except.size > 100_000 ? t.act.tooManyOut : null;

  const act = async (event: Event) => {
    event.preventDefault();
    if (!count || busy) return;
    setBusy(true);
    setProblem(null);
    setGone(null);
    setRefusal(null);
    try {
      if (isShort) await actNow();
      else await startJob(count);
      onDone();
    } catch (error) {
      const { status, code, extra } = asRefusal(error);
      if (code === "SELECTION_CHANGED") setProblem(t.act.changed(Number(extra.count)));
      else if (!goneOf(error)) setRefusal(error);
      setGone(goneOf(error));
      setBusy(false);
      // Without an answer it may have happened. Then other numbers would prevent that it is sent again.
      if (status && !goneOf(error)) setTurn((n) => n + 1);
    }
  };
  const actNow = async () => {
    const body = { leadIds: [...(selection as { ids: ReadonlySet<string> }).ids], ...(target && { targetAudienceId: target.id }) };
    const { data, headers } = await call<Moved>("POST", `${app.base}/audiences/${source.id}/${PATHS[action]}`, { body, headers: retry(body) });
    const after = [data.sourceAudience ?? data.audience, data.targetAudience].filter((each) => each !== undefined);
    reportDone(app, t.act.done[action](body.leadIds.length, target?.name ?? source.name), headers.get("Change-Id"), after.map((each) => ({ name: each.name, count: each.prospectCount })));
  };
  const startJob = async (expectedCount: number) => {
    const body = { ...asked, expectedCount };
    const { data } = await call<{ jobId: string }>("POST", `${app.base}/transfers`, { body, headers: retry(body) });
    app.notify({ tone: "good", text: t.act.started });
    void watchTransfer(app, data.jobId, async (transfer) => {
      const counts = await Promise.all([source, target].filter((each) => each !== null).map(async (each) => (await call<Audience>("GET", `${app.base}/audiences/${each.id}`)).data));
      reportDone(app, t.act.done[action](transfer.count ?? 0, target?.name ?? source.name), transfer.changeId ?? null, counts.map((each) => ({ name: each.name, count: each.prospectCount })));
    }, onAgain);
  };

  return (
    <Dialog title={t.act.title[action]} onClose={onClose}>
      <form onSubmit={act}>
        {action !== "remove" && <TargetBox label={t.act.target} without={source.id} value={target} onChange={setTarget} />}
        {isReady && count === null && !preview.error && <Loading />}
        {isReady && !gone && <Effect action={action} source={source} target={target} preview={preview.data} count={count} />}
        <div role="alert">{(problem ?? tooMany) && <p class="problem">{problem ?? tooMany}</p>}{gone && <p class="problem">{t.act.gone(gone.count)}</p>}</div>
        {gone && <Button label={t.act.leaveOut} onClick={() => { setGone(null); onLeaveOut(gone.ids); }} />}
        {refusal || (preview.error && !goneOf(preview.error)) ? <Trouble error={refusal ?? preview.error} onRetry={preview.error && !refusal ? preview.reload : undefined} /> : null}
        <footer>
          <Button label={t.cancel} onClick={onClose} />
          <Button type="submit" kind={action === "remove" ? "danger" : "main"} label={count === null ? t.act[action] : t.act.button[action](count)} disabled={busy || !isReady || !count || Boolean(tooMany) || preview.loading || gone !== null} />
        </footer>
      </form>
    </Dialog>
  );
}

/** The people of the selection that have left the list, if that is what the service has refused. It names the first 100. */
function goneOf(error: unknown): { ids: string[]; count: number } | null {
  if (!error || asRefusal(error).code !== "LEADS_NOT_IN_SOURCE") return null;
  const { leadIds, leadCount } = asRefusal(error).extra as { leadIds: string[]; leadCount: number };
  return { ids: leadIds, count: leadCount };
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
