import { useEffect, useState } from "preact/hooks";
import { call, download } from "./api";
import { asRefusal, useApp, useLoad, type App } from "./app";
import { Button, Empty, Loading, Progress, Trouble, ViewHead } from "./parts";
import { linkTo } from "./router";
import { ago, number, people, percent, t, when } from "./text";
import { undo } from "./undo";
import type { Change, Job, JobStatus, JobSummary, Page, Transfer } from "./types";
import { failure } from "./watch";

const EVERY_MS = 1000;
export const isActive = (status: JobStatus) => status === "queued" || status === "running";

type Entry = { kind: "import"; id: string; createdAt: string; status: JobStatus; job: JobSummary } | { kind: "transfer"; id: string; createdAt: string; status: JobStatus; transfer: Transfer };

/** Imports and transfers, with their live progress. */
export function JobsView({ open }: { open: string | undefined }) {
  const app = useApp();
  const loaded = useLoad(async (signal) => {
    const [jobs, transfers] = await Promise.all([
      app.can("prospecting:read") ? call<Page<JobSummary>>("GET", `${app.base}/prospecting`, { query: { limit: 50 }, signal }) : null,
      app.features.transfers ? call<Page<Transfer>>("GET", `${app.base}/transfers`, { query: { limit: 50 }, signal }) : null,
    ]);
    const entries: Entry[] = [
      ...(jobs?.data.items ?? []).map((job) => ({ kind: "import" as const, id: job.jobId, createdAt: job.createdAt, status: job.status, job })),
      ...(transfers?.data.items ?? []).map((transfer) => ({ kind: "transfer" as const, id: transfer.jobId, createdAt: transfer.createdAt, status: transfer.status, transfer })),
    ];
    return entries.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  }, [app.base, app.features.transfers, app.version], { everyMs: (data) => (data?.some((each) => isActive(each.status)) ? EVERY_MS : 10 * EVERY_MS) });
  return (
    <div class="view">
      <ViewHead title={t.jobs.title} lead={t.jobs.lead} />
      {loaded.error && <Trouble error={loaded.error} onRetry={loaded.reload} />}
      {!loaded.data && !loaded.error && <Loading />}
      {loaded.data && !loaded.data.length && <Empty icon="jobs" title={t.jobs.empty} />}
      {loaded.data && loaded.data.length > 0 && (
        <ul class="jobs">
          {loaded.data.map((entry) => (
            <li key={entry.id} id={`job-${entry.id}`} class={entry.id === open ? "open" : ""}>
              {entry.kind === "import"
                ? (isActive(entry.status) || entry.id === open ? <ImportJob id={entry.id} /> : <Summary title={t.jobs.types[entry.job.type] ?? entry.job.type} status={entry.status} at={entry.createdAt}><a class="button quiet" href={linkTo(["g", app.group, "jobs", entry.id])}>{t.jobs.details}</a></Summary>)
                : <TransferJob transfer={entry.transfer} onChange={loaded.reload} />}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Summary({ title, status, at, children }: { title: string; status: JobStatus; at: string; children?: preact.ComponentChildren }) {
  return (
    <div class="job-head">
      <div><strong>{title}</strong> <span class={`tag ${status}`}>{t.jobs.status[status]}</span><p class="faint"><time dateTime={at} title={when(at)}>{ago(at)}</time></p></div>
      <div class="row-actions">{children}</div>
    </div>
  );
}

function TransferJob({ transfer, onChange }: { transfer: Transfer; onChange: () => void }) {
  const app = useApp();
  const source = app.listName(transfer.sourceAudienceId ?? null), target = app.listName(transfer.targetAudienceId ?? null);
  return (
    <>
      <Summary title={t.jobs.types[transfer.action ?? ""] ?? transfer.action ?? ""} status={transfer.status} at={transfer.createdAt}>
        {isActive(transfer.status) && <Button label={t.jobs.cancel} needs="audiences:write" onClick={() => void cancel(app, `transfers/${transfer.jobId}`).then(onChange)} />}
        {transfer.changeId && <Button label={t.act.undo} icon="undo" needs="audiences:write" onClick={() => void undo(app, transfer.changeId!)} />}
      </Summary>
      <p>{people(transfer.count ?? 0)}{source ? ` · ${source}` : ""}{target ? ` → ${target}` : ""}</p>
      {isActive(transfer.status) && <Bar progress={transfer.progress} />}
      {transfer.status === "failed" && <p class="problem">{failure(transfer)}</p>}
    </>
  );
}

function Bar({ progress }: { progress: number }) {
  return <div class="progress"><Progress value={progress} label={t.import.progress} /><span>{percent(progress)}</span></div>;
}

/** An import: its progress while it runs, and then its result with the rejected rows and the undo. */
export function ImportJob({ id, onEnd }: { id: string; onEnd?: () => void }) {
  const app = useApp();
  const path = `${app.base}/prospecting/${id}`;
  const [ended, setEnded] = useState(false);
  const loaded = useLoad(async (signal) => (await call<Job>("GET", path, { signal })).data, [path], { everyMs: (data) => (data && !isActive(data.status) ? null : EVERY_MS) });
  const { data } = loaded;
  const isEnd = data !== null && !isActive(data.status);
  useEffect(() => { if (isEnd && !ended) { setEnded(true); onEnd?.(); app.refresh(); } }, [isEnd]);
  const change = useLoad(async (signal) => (isEnd ? changeOf(app, data.audienceId, id, signal) : null), [isEnd, app.version]);
  if (loaded.error && !data) return <Trouble error={loaded.error} onRetry={loaded.reload} />;
  if (!data) return <Loading />;
  const name = app.listName(data.audienceId);
  const { counts } = data;
  const trouble = (error: unknown) => { const refusal = asRefusal(error); app.notify({ tone: "bad", text: refusal.message || t.unreachable, detail: refusal.details }); };
  return (
    <div class="import-job">
      <Summary title={[t.jobs.types[data.sourceType] ?? t.jobs.import, name].filter(Boolean).join(": ")} status={data.status} at={data.createdAt}>
        {!isEnd && <Button label={t.jobs.cancel} needs="prospecting:write" onClick={() => void cancel(app, `prospecting/${id}`).then(loaded.reload)} />}
        {isEnd && name && <a class="button" href={linkTo(["g", app.group, "lists", data.audienceId])}>{t.jobs.open}</a>}
      </Summary>
      {!isEnd && <Bar progress={data.stages.import.progress} />}
      {data.error && <p class="problem">{t.jobs.failed(data.error.message)}</p>}
      <dl class="counts">
        {([["read", counts.read], ["added", counts.added], ["created", counts.created], ["matched", counts.matched], ["noted", counts.noted], ["rejected", counts.rejected]] as const)
          .map(([label, count]) => <div key={label}><dt>{t.jobs[label]}</dt><dd>{number(count ?? 0)}</dd></div>)}
      </dl>
      {isEnd && (
        <div class="row-actions">
          {counts.rejected > 0 && <Button label={t.jobs.rejectedFile} icon="download" onClick={() => download(`${path}/rejected.csv`, `rejected-${id}.csv`).catch(trouble)} />}
          {counts.noted > 0 && <Button label={t.jobs.notesFile} icon="download" onClick={() => download(`${path}/rejected.csv?notes=true`, `notes-${id}.csv`).catch(trouble)} />}
          {change.data && (change.data.undoneByChangeId ? <span class="tag">{t.history.undone}</span> : <Button label={t.jobs.undo} icon="undo" needs="audiences:write" onClick={() => void undo(app, change.data!.id)} />)}
        </div>
      )}
    </div>
  );
}

async function changeOf(app: App, audienceId: string, jobId: string, signal: AbortSignal): Promise<Change | null> {
  const { data } = await call<Page<Change>>("GET", `${app.base}/changes`, { query: { audienceId, kind: "import", limit: 50 }, signal });
  return data.items.find((change) => change.jobId === jobId) ?? null;
}

async function cancel(app: App, path: string): Promise<void> {
  try {
    await call("POST", `${app.base}/${path}/cancel`);
    app.notify({ tone: "good", text: t.jobs.cancelled });
    app.refresh();
  } catch (error) {
    const refusal = asRefusal(error);
    app.notify({ tone: "bad", text: refusal.message || t.unreachable, detail: refusal.details });
  }
}
