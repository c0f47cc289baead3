import { useEffect, useState } from "preact/hooks";
import { call } from "./api";
import { asRefusal } from "./app";
import { Button, Field } from "./parts";
import { t } from "./text";
import type { Session } from "./types";

/** The door. `reason` is the sentence that says why it is shown. */
export function SignIn({ reason, onSignedIn }: { reason: string; onSignedIn: (session: Session) => void }) {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  // The title of a view has the name of a list.
  useEffect(() => { document.title = t.brand; }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
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
        <p class="faint">{reason}</p>
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
