import { useState } from "preact/hooks";
import { call } from "./api";
import { useApp, useLoad } from "./app";
import { Button, Dialog, Loading, Trouble } from "./parts";
import { linkTo } from "./router";
import { ago, people, t, when } from "./text";
import { undo } from "./undo";
import type { Change, ChangedPerson, Page } from "./types";

const NOT_UNDOABLE = ["erase", "merge"];

/** Changes, newest first, each with its undo. */
export function ChangeList({ changes }: { changes: Change[] }) {
  const app = useApp();
  const [shown, setShown] = useState<Change | null>(null);
  return (
    <>
      <ol class="changes">
        {changes.map((change) => (
          <li key={change.id} class={change.undoneByChangeId ? "undone" : ""}>
            <div>
              <p><strong>{t.history.kinds[change.kind]}</strong> {people(change.leadCount)} <Route change={change} /></p>
              <p class="faint"><time dateTime={change.changedAt} title={when(change.changedAt)}>{ago(change.changedAt)}</time></p>
            </div>
            <div class="row-actions">
              {app.can("prospects:read") && change.leadCount > 0 && <Button label={t.history.show} kind="quiet" onClick={() => setShown(change)} />}
              {change.undoneByChangeId ? <span class="tag">{t.history.undone}</span> : !NOT_UNDOABLE.includes(change.kind) && <Button label={t.act.undo} icon="undo" needs="audiences:write" onClick={() => void undo(app, change.id)} />}
            </div>
          </li>
        ))}
      </ol>
      {shown && <PeopleOfChange change={shown} onClose={() => setShown(null)} />}
    </>
  );
}

function Route({ change }: { change: Change }) {
  return (
    <span class="route">
      {change.sourceAudienceId && <ListName id={change.sourceAudienceId} />}
      {change.sourceAudienceId && change.targetAudienceId && <span aria-hidden="true"> → </span>}
      {change.targetAudienceId && <ListName id={change.targetAudienceId} />}
    </span>
  );
}

function ListName({ id }: { id: string }) {
  const app = useApp();
  const name = app.listName(id);
  return name ? <a href={linkTo(["g", app.group, "lists", id])}>{name}</a> : <span class="faint">{app.navigation ? t.history.gone : ""}</span>;
}

function PeopleOfChange({ change, onClose }: { change: Change; onClose: () => void }) {
  const app = useApp();
  const loaded = useLoad(async (signal) => (await call<Page<ChangedPerson>>("GET", `${app.base}/changes/${change.id}/prospects`, { query: { limit: 200 }, signal })).data, [change.id]);
  return (
    <Dialog title={`${t.history.kinds[change.kind]} ${people(change.leadCount)}`} onClose={onClose}>
      {loaded.error && <Trouble error={loaded.error} onRetry={loaded.reload} />}
      {!loaded.data && !loaded.error && <Loading />}
      {loaded.data && <ul class="plain scroll" tabIndex={0} aria-label={people(change.leadCount)}>{loaded.data.items.map((each, index) => <li key={index}><span dir="auto">{/^0+$/.test(each.prospectId) ? t.history.erasedPerson : (each.name ?? t.table.nameless)}</span>{each.wasInTarget && <span class="faint"> {t.history.was}</span>}</li>)}{loaded.data.hasMore && <li class="faint">…</li>}</ul>}
    </Dialog>
  );
}
