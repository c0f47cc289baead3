// Dialogs about a list itself: its name and its folder.

import { useState } from "preact/hooks";
import { useApp, useRetry } from "./app";
import { Button, Dialog, Field, Trouble } from "./parts";
import { movedText, putIntoFolder } from "./Sidebar";
import { t } from "./text";
import type { Audience } from "./types";

interface Named { name: string; description: string }

export function NameDialog({ title, label, name = "", description = "", withDescription, onClose, run }: { title: string; label: string; name?: string; description?: string; withDescription?: boolean; onClose: () => void; run: (named: Named, headers: Record<string, string>) => Promise<unknown> }) {
  const [named, setNamed] = useState<Named>({ name, description });
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const retry = useRetry();
  const submit = (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const given = { name: named.name.trim(), description: named.description.trim() };
    run(given, retry(given)).then(onClose, (error) => { setRefusal(error); setBusy(false); });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        <Field label={t.lists.name}>{(id) => <input id={id} required maxLength={200} autofocus value={named.name} onInput={(event) => setNamed({ ...named, name: event.currentTarget.value })} />}</Field>
        {withDescription && <Field label={t.lists.description}>{(id) => <textarea id={id} maxLength={2000} rows={2} value={named.description} onInput={(event) => setNamed({ ...named, description: event.currentTarget.value })} />}</Field>}
        {refusal ? <Trouble error={refusal} /> : null}
        <footer><Button label={t.cancel} onClick={onClose} /><Button type="submit" kind="main" label={label} disabled={busy || !named.name.trim()} /></footer>
      </form>
    </Dialog>
  );
}

export function FolderDialog({ list, onClose }: { list: Audience; onClose: () => void }) {
  const app = useApp();
  const [folder, setFolder] = useState(list.folderId ?? "");
  const [refusal, setRefusal] = useState<unknown>(null);
  // A folder takes lists of its own kind only.
  const folders = (app.navigation?.folders ?? []).filter((each) => (each.audienceType === "monitoring") === (list.type === "monitoring"));
  const submit = (event: Event) => {
    event.preventDefault();
    putIntoFolder(app.base, list.id, folder || null).then(() => {
      app.refresh();
      app.notify({ tone: "good", text: movedText(list.name, folders.find((each) => each.id === folder)?.name) });
      onClose();
    }, setRefusal);
  };
  return (
    <Dialog title={t.lists.toFolder} onClose={onClose}>
      <form onSubmit={submit}>
        <Field label={t.lists.toFolder}>
          {(id) => <select id={id} autofocus value={folder} onChange={(event) => setFolder(event.currentTarget.value)}><option value="">{t.lists.noFolder}</option>{folders.map((each) => <option key={each.id} value={each.id}>{each.name}</option>)}</select>}
        </Field>
        {refusal ? <Trouble error={refusal} /> : null}
        <footer><Button label={t.cancel} onClick={onClose} /><Button type="submit" kind="main" label={t.save} disabled={folder === (list.folderId ?? "")} /></footer>
      </form>
    </Dialog>
  );
}
