import { useState } from "preact/hooks";
import { call } from "./api";
import { asRefusal, useApp, useLoad } from "./app";
import { Button, Confirm, Dialog, Empty, Field, Loading, Trouble, ViewHead } from "./parts";
import { linkTo } from "./router";
import { ago, t } from "./text";
import type { Delivery, Page, Webhook } from "./types";

/** The webhooks of the account group, with their deliveries. */
export function WebhooksView({ open }: { open: string | undefined }) {
  const app = useApp();
  const [asked, setAsked] = useState<{ what: "new" } | { what: "delete"; webhook: Webhook } | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const loaded = useLoad(async (signal) => (await call<Page<Webhook>>("GET", `${app.base}/webhooks`, { query: { limit: 50 }, signal })).data.items, [app.base, app.version]);
  const attempt = async (work: () => Promise<string>) => {
    try {
      app.notify({ tone: "good", text: await work() });
      app.refresh();
    } catch (error) {
      const refusal = asRefusal(error);
      app.notify({ tone: "bad", text: refusal.message || t.unreachable, detail: refusal.details });
    }
  };
  return (
    <div class="view">
      <ViewHead title={t.webhooks.title} lead={t.webhooks.lead}><Button label={t.webhooks.create} icon="plus" kind="main" needs="webhooks:write" onClick={() => setAsked({ what: "new" })} /></ViewHead>
      {loaded.error && <Trouble error={loaded.error} onRetry={loaded.reload} />}
      {!loaded.data && !loaded.error && <Loading />}
      {loaded.data && !loaded.data.length && <Empty icon="webhook" title={t.webhooks.empty} />}
      <ul class="jobs">
        {loaded.data?.map((webhook) => (
          <li key={webhook.id}>
            <div class="job-head">
              <div><strong class="url">{webhook.url}</strong> <span class={`tag ${webhook.status}`}>{webhook.status}</span><p class="faint">{[webhook.description, webhook.disabledReason, t.webhooks.lastSuccess(webhook.lastSuccessAt)].filter(Boolean).join(" · ")}</p></div>
              <div class="row-actions">
                <a class="button quiet" href={linkTo(["g", app.group, "webhooks", webhook.id])}>{t.webhooks.deliveries}</a>
                <Button label={t.webhooks.test} needs="webhooks:write" onClick={() => void attempt(async () => { const { data } = await call<{ statusCode: number | null; durationMs: number }>("POST", `${app.base}/webhooks/${webhook.id}/test`); return t.webhooks.tested(data.statusCode, data.durationMs); })} />
                <Button label={webhook.status === "active" ? t.webhooks.pause : t.webhooks.resume} needs="webhooks:write" onClick={() => void attempt(async () => { await call("PATCH", `${app.base}/webhooks/${webhook.id}`, { body: { status: webhook.status === "active" ? "paused" : "active" } }); return t.person.saved; })} />
                <Button label={t.webhooks.remove} icon="erase" kind="danger" needs="webhooks:write" onClick={() => setAsked({ what: "delete", webhook })} />
              </div>
            </div>
            {webhook.id === open && <Deliveries webhook={webhook} attempt={attempt} />}
          </li>
        ))}
      </ul>
      {asked?.what === "new" && <NewWebhook onClose={() => setAsked(null)} onMade={(made) => { setAsked(null); setSecret(made); app.refresh(); }} />}
      {asked?.what === "delete" && <Confirm title={t.webhooks.remove} question={t.webhooks.removeQuestion(asked.webhook.url)} label={t.webhooks.remove} onDone={() => setAsked(null)} run={async () => { await call("DELETE", `${app.base}/webhooks/${asked.webhook.id}`); app.notify({ tone: "good", text: t.webhooks.removed }); app.refresh(); }} />}
      {secret && <Dialog title={t.webhooks.create} onClose={() => setSecret(null)}><p>{t.webhooks.secret}</p><p><code>{secret}</code></p></Dialog>}
    </div>
  );
}

function NewWebhook({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const app = useApp();
  const [url, setUrl] = useState("https://");
  const [refusal, setRefusal] = useState<unknown>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    call<Webhook>("POST", `${app.base}/webhooks`, { body: { url: url.trim() } }).then(({ data }) => onMade(data.secret ?? ""), setRefusal);
  };
  return (
    <Dialog title={t.webhooks.create} onClose={onClose}>
      <form onSubmit={submit}>
        <Field label={t.webhooks.url}>{(id) => <input id={id} type="url" required autofocus value={url} onInput={(event) => setUrl(event.currentTarget.value)} />}</Field>
        {refusal ? <Trouble error={refusal} /> : null}
        <footer><Button label={t.cancel} onClick={onClose} /><Button type="submit" kind="main" label={t.webhooks.create} /></footer>
      </form>
    </Dialog>
  );
}

function Deliveries({ webhook, attempt }: { webhook: Webhook; attempt: (work: () => Promise<string>) => Promise<void> }) {
  const app = useApp();
  const path = `${app.base}/webhooks/${webhook.id}/deliveries`;
  const loaded = useLoad(async (signal) => (await call<Page<Delivery>>("GET", path, { query: { limit: 50 }, signal })).data.items, [path, app.version]);
  if (loaded.error) return <Trouble error={loaded.error} onRetry={loaded.reload} />;
  if (!loaded.data) return <Loading />;
  if (!loaded.data.length) return <p class="faint">{t.webhooks.none}</p>;
  return (
    <div class="wide-table" tabIndex={0} role="region" aria-label={t.webhooks.deliveries}>
      <table>
        <tbody>
          {loaded.data.map((delivery) => {
            const last = delivery.attempts[delivery.attempts.length - 1];
            return <tr key={delivery.id}><th scope="row">{delivery.type}</th><td><span class={`tag ${delivery.status}`}>{delivery.status}</span></td><td>{last ? `${last.statusCode ?? last.error ?? ""} · ${ago(last.at)}` : ""}</td><td><Button label={t.webhooks.redeliver} needs="webhooks:write" onClick={() => void attempt(async () => { await call("POST", `${path}/${delivery.id}/redeliver`); return t.webhooks.redelivered; })} /></td></tr>;
          })}
        </tbody>
      </table>
    </div>
  );
}
