import { useState } from "preact/hooks";
import { call } from "./api";
import { asRefusal } from "./app";
import { Button, Field } from "./parts";
import { t } from "./text";
import type { Session } from "./types";

export function SignIn({ ended, onSignedIn }: { ended: boolean; onSignedIn: (session: Session) => void }) {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const { data } = await call<Session>("POST", "/session", { body: { key } });
      setKey("");
      onSignedIn(data);
    } catch (error) {
      const refusal = asRefusal(error);
      setProblem(refusal.status === 429 ? t.signIn.limited : refusal.status === 0 ? t.unreachable : refusal.status === 401 || refusal.status === 400 ? t.signIn.wrong : refusal.message);
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <p class="brand">{t.brand}</p>
        <h1>{t.signIn.title}</h1>
        <p class="faint">{ended ? t.signIn.ended : t.signIn.lead}</p>
        <Field label={t.signIn.key} hint={t.signIn.hint}>
          {(id, hint) => <input id={id} type="password" autocomplete="off" spellcheck={false} required maxLength={200} autofocus value={key} aria-describedby={hint} aria-invalid={problem ? "true" : undefined} onInput={(event) => setKey(event.currentTarget.value)} />}
        </Field>
        <div role="alert" class="problem">{problem}</div>
        <Button type="submit" kind="main" label={busy ? t.signIn.busy : t.signIn.submit} disabled={busy} />
        <p class="faint">{t.signIn.keep}</p>
      </form>
    </main>
  );
}
