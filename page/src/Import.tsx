import { dropTargetForExternal } from "@atlaskit/pragmatic-drag-and-drop/external/adapter";
import { containsFiles, getFiles } from "@atlaskit/pragmatic-drag-and-drop/external/file";
import { preventUnhandled } from "@atlaskit/pragmatic-drag-and-drop/prevent-unhandled";
import { useEffect, useRef, useState } from "preact/hooks";
import { call, upload } from "./api";
import { asRefusal, listsOf, useApp, useLoad, useRetry } from "./app";
import { ImportColumns, mappingOf, type Choices } from "./ImportColumns";
import { Icon } from "./icons";
import { ImportJob } from "./Jobs";
import { Button, Field, Loading, Progress, Trouble, ViewHead } from "./parts";
import { placeOf } from "./router";
import { number, t } from "./text";
import { TargetBox } from "./TargetBox";
import type { Audience, ImportPreview } from "./types";

const MOST_BYTES = 1024 ** 3;
const TYPES: Record<string, string> = {
  csv: "text/csv", tsv: "text/tab-separated-values", txt: "text/csv", vcf: "text/vcard", xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  xls: "application/vnd.ms-excel", xlsb: "application/vnd.ms-excel.sheet.binary.macroenabled.12", ods: "application/vnd.oasis.opendocument.spreadsheet",
};
type Step = { at: "file" } | { at: "sending"; file: File; share: number } | { at: "columns"; file: File; uploadId: string } | { at: "running"; jobId: string };

/** Brings in a file: drop it, look at its columns, follow the import, and take it back if it was wrong. */
export function ImportView() {
  const app = useApp();
  const into = placeOf(location.hash).query.get("into");
  const [step, setStep] = useState<Step>({ at: "file" });
  const [problem, setProblem] = useState<unknown>(null);
  const [endedJob, setEndedJob] = useState<string | null>(null);
  const take = async (files: File[]) => {
    const [file] = files;
    if (files.length !== 1 || !file) return setProblem(new Error(files.length ? t.import.onlyOne : t.import.noFile));
    if (file.size > MOST_BYTES) return setProblem(new Error(t.import.tooBig));
    setProblem(null);
    setStep({ at: "sending", file, share: 0 });
    try {
      const type = TYPES[file.name.split(".").pop()?.toLowerCase() ?? ""] ?? "text/csv";
      const { uploadId } = await upload<{ uploadId: string }>(`${app.base}/uploads`, file, type, (share) => setStep({ at: "sending", file, share }));
      setStep({ at: "columns", file, uploadId });
    } catch (error) {
      setProblem(error);
      setStep({ at: "file" });
    }
  };
  return (
    <div class="view">
      <ViewHead title={t.import.title} lead={t.import.kinds} />
      {problem ? <Trouble error={problem} /> : null}
      {step.at === "file" && <DropArea onFiles={(files) => void take(files)} />}
      {step.at === "sending" && <div class="progress"><Progress value={step.share} label={t.import.sending(step.share)} /><span role="status">{step.file.name}: {t.import.sending(step.share)}</span></div>}
      {step.at === "columns" && <Plan file={step.file} uploadId={step.uploadId} into={into} onStart={(jobId) => { setStep({ at: "running", jobId }); app.refresh(); }} onBack={() => setStep({ at: "file" })} />}
      {step.at === "running" && <>{step.jobId !== endedJob && <p class="faint">{t.import.running}</p>}<ImportJob id={step.jobId} onEnd={() => setEndedJob(step.jobId)} /><Button label={t.import.another} onClick={() => setStep({ at: "file" })} /></>}
    </div>
  );
}

function DropArea({ onFiles }: { onFiles: (files: File[]) => void }) {
  const app = useApp();
  const ref = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = useRef(onFiles);
  take.current = onFiles;
  const lacks = app.can("prospecting:write") ? null : t.lacks("prospecting:write");
  useEffect(() => {
    if (lacks) return;
    // A file that misses the area would otherwise replace the page.
    preventUnhandled.start();
    const stop = dropTargetForExternal({
      element: ref.current!, canDrop: containsFiles, onDragEnter: () => setOver(true), onDragLeave: () => setOver(false),
      onDrop: ({ source }) => { setOver(false); take.current(getFiles({ source })); },
    });
    return () => { stop(); preventUnhandled.stop(); };
  }, [lacks]);
  return (
    <div ref={ref} class={`drop-area ${over ? "over" : ""}`}>
      <Icon name="upload" size={28} />
      <p><strong>{lacks ?? t.import.drop}</strong></p>
      <input ref={input} type="file" class="visually-hidden" tabIndex={-1} aria-label={t.import.file} accept=".csv,.tsv,.txt,.xlsx,.xlsm,.xls,.xlsb,.ods,.vcf,.gz" onChange={(event) => { const files = [...(event.currentTarget.files ?? [])]; event.currentTarget.value = ""; if (files.length) onFiles(files); }} />
      <Button label={t.import.choose} needs="prospecting:write" onClick={() => input.current!.click()} />
    </div>
  );
}

function Plan({ file, uploadId, into, onStart, onBack }: { file: File; uploadId: string; into: string | null; onStart: (jobId: string) => void; onBack: () => void }) {
  const app = useApp();
  const [name, setName] = useState(file.name.replace(/\.[^.]+$/, ""));
  const [isNew, setNew] = useState(!into);
  const [target, setTarget] = useState<Audience | null>(() => listsOf(app.navigation).find((each) => each.id === into) ?? null);
  const [sheet, setSheet] = useState<string | null>(null);
  const [choices, setChoices] = useState<Choices>({});
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const shown = useRef<ImportPreview | null>(null);
  const mapping = mappingOf(shown.current, choices);
  const reading = { ...(sheet && { sheet }), ...(mapping && { mapping }) };
  const preview = useLoad(async (signal) => {
    try {
      return (await call<ImportPreview>("POST", `${app.base}/uploads/${uploadId}/preview`, { body: { ...reading, rows: 5 }, signal })).data;
    } catch (error) {
      // A service without previews has nothing at this path; the import itself still works.
      if (asRefusal(error).status === 404 || asRefusal(error).status === 405) return null;
      throw error;
    }
  }, [uploadId, sheet, JSON.stringify(choices)]);
  if (preview.data) shown.current = preview.data;
  const retry = useRetry();
  const start = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setRefusal(null);
    try {
      const body = { type: "csv_upload", uploadId, audience: isNew ? { name: name.trim() } : { id: target!.id }, ...reading };
      onStart((await call<{ jobId: string }>("POST", `${app.base}/prospecting`, { body, headers: retry(body) })).data.jobId);
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  };
  const rows = shown.current?.rowCount;
  const isTaken = listsOf(app.navigation).some((each) => each.name === name.trim());
  const isUnreadable = preview.error !== null && asRefusal(preview.error).code === "UNREADABLE_FILE";
  return (
    <form class="plan" onSubmit={start}>
      <fieldset class="into">
        <legend>{t.import.target}</legend>
        <label class="choice"><input type="radio" name="into" checked={isNew} onChange={() => setNew(true)} />{t.import.newList}</label>
        <label class="choice"><input type="radio" name="into" checked={!isNew} onChange={() => setNew(false)} />{t.import.existing}</label>
        {isNew ? <Field label={t.import.listName} {...(isTaken && { hint: t.import.sameName })}>{(id, hintId) => <input id={id} aria-describedby={hintId} required maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} />}</Field> : <TargetBox label={t.import.existing} value={target} onChange={setTarget} />}
      </fieldset>
      {preview.loading && !shown.current && <Loading />}
      {shown.current?.sheets && shown.current.sheets.length > 1 && <Field label={t.import.sheet}>{(id) => <select id={id} value={sheet ?? shown.current!.sheet ?? ""} onChange={(event) => { setChoices({}); setSheet(event.currentTarget.value); }}>{shown.current!.sheets!.map((each) => <option key={each}>{each}</option>)}</select>}</Field>}
      {shown.current && <ImportColumns preview={shown.current} choices={choices} busy={preview.loading} onChange={setChoices} />}
      {refusal || preview.error ? <Trouble error={refusal ?? preview.error} /> : null}
      <footer><Button label={t.import.another} onClick={onBack} /><Button type="submit" kind="main" label={rows ? t.import.startCount(rows) : t.import.start} disabled={busy || (isNew ? !name.trim() : !target) || preview.loading || isUnreadable} /></footer>
      <p class="faint">{file.name}, {number(Math.ceil(file.size / 1024))} kB</p>
    </form>
  );
}
