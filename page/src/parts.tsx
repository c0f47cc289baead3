// Small parts that every view uses: buttons, dialogs, menus, messages.

import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Refusal, UNREACHABLE } from "./api";
import { useApp, type Notice } from "./app";
import { Icon, type IconName } from "./icons";
import { t } from "./text";
import type { Permission } from "./types";

interface ButtonProps { label: string; icon?: IconName; onClick?: () => void; kind?: "plain" | "main" | "quiet" | "danger"; iconOnly?: boolean; disabled?: boolean; needs?: Permission; type?: "button" | "submit"; autofocus?: boolean }

/** A button. Without the permission that it needs it stays visible and says why it is off. It is never `disabled` for the
 * browser, which would take the focus away from it. */
export function Button({ label, icon, onClick, kind = "plain", iconOnly, disabled, needs, type = "button", autofocus }: ButtonProps) {
  const app = useApp();
  const lacks = needs && app && !app.can(needs) ? t.lacks(needs) : undefined;
  return (
    <button type={type} class={`button ${kind}`} onClick={(event) => { if (lacks || disabled) event.preventDefault(); else onClick?.(); }} aria-disabled={lacks || disabled ? "true" : undefined} title={lacks ?? (iconOnly ? label : undefined)} aria-label={iconOnly ? label : undefined} aria-description={lacks} autofocus={autofocus}>
      {icon && <Icon name={icon} />}
      {!iconOnly && <span>{label}</span>}
    </button>
  );
}

/** A dialog of the browser: it keeps the focus inside, closes on Escape, and gives the focus back. */
export function Dialog({ title, onClose, children, wide }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const dialog = ref.current!;
    dialog.showModal();
    return () => {
      // While it is open, nothing outside of it takes the focus.
      dialog.close();
      // A control that has gone meanwhile cannot take the focus back; the content can.
      if (before?.isConnected) before.focus();
      else document.getElementById("content")?.focus();
    };
  }, []);
  return (
    <dialog ref={ref} class={wide ? "wide" : ""} aria-labelledby={id} onCancel={(event) => { event.preventDefault(); onClose(); }}>
      <header>
        <h2 id={id}>{title}</h2>
        <Button label={t.close} icon="close" iconOnly kind="quiet" onClick={onClose} />
      </header>
      {children}
    </dialog>
  );
}

/** Asks before something is done that is hard to take back. */
export function Confirm({ title, question, label, onDone, run }: { title: string; question: string; label: string; onDone: () => void; run: () => Promise<unknown> }) {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const submit = () => {
    if (busy) return;
    setBusy(true);
    run().then(onDone, (error) => { setRefusal(error); setBusy(false); });
  };
  return (
    <Dialog title={title} onClose={onDone}>
      <p>{question}</p>
      {refusal ? <Trouble error={refusal} /> : null}
      <footer>
        <Button label={t.cancel} onClick={onDone} autofocus />
        <Button label={label} kind="danger" onClick={submit} disabled={busy} />
      </footer>
    </Dialog>
  );
}

export interface MenuItem { label: string; icon?: IconName; run: () => void; needs?: Permission }

/** A button that opens a short list of actions. Arrow keys move in it, Escape closes it. */
export function Menu({ label, items, icon = "more", text }: { label: string; items: MenuItem[]; icon?: IconName; text?: boolean }) {
  const app = useApp();
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const move = (step: number) => {
    const all = [...list.current!.querySelectorAll("button")];
    all[(all.indexOf(document.activeElement as HTMLButtonElement) + step + all.length) % all.length]?.focus();
  };
  const toggled = (event: ToggleEvent) => {
    const isOpen = event.newState === "open";
    setOpen(isOpen);
    if (!isOpen) return;
    const place = button.current!.getBoundingClientRect();
    const menu = list.current!;
    menu.style.top = `${Math.min(place.bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
    menu.style.left = `${Math.max(8, Math.min(place.left, innerWidth - menu.offsetWidth - 8))}px`;
    menu.querySelector("button")?.focus();
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    const step = ({ ArrowDown: 1, ArrowUp: -1 } as Record<string, number>)[event.key];
    if (step) { event.preventDefault(); move(step); }
    if (event.key === "Tab") list.current!.hidePopover();
  };
  return (
    <>
      <button ref={button} type="button" class="button quiet" {...{ popovertarget: id }} aria-haspopup="menu" aria-expanded={open} aria-label={text ? undefined : label} title={text ? undefined : label}>
        <Icon name={icon} />{text && <span>{label}</span>}
      </button>
      <div ref={list} id={id} class="menu" role="menu" aria-label={label} {...{ popover: "auto" }} onToggle={toggled as never} onKeyDown={onKeyDown}>
        {items.map((item) => {
          const lacks = item.needs && !app.can(item.needs) ? t.lacks(item.needs) : undefined;
          return (
            <button key={item.label} type="button" role="menuitem" aria-disabled={lacks ? "true" : undefined} title={lacks} onClick={() => { if (lacks) return; list.current!.hidePopover(); button.current!.focus(); item.run(); }}>
              {item.icon && <Icon name={item.icon} />}<span>{item.label}</span>
            </button>
          );
        })}
      </div>
    </>
  );
}

/** A refusal of the service: its sentence, its remedy, and the id under which the operator finds it. */
export function Trouble({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const refusal = error instanceof Refusal ? error : new Refusal(0, "", String((error as Error)?.message ?? error), "", "");
  const away = refusal.code === UNREACHABLE;
  return (
    <div class="trouble" role="alert">
      <Icon name="warning" />
      <div>
        <p><strong>{away ? t.unreachable : refusal.message}</strong></p>
        <p>{away ? t.unreachableHint : refusal.details}</p>
        {refusal.traceId && <p class="faint" title={t.traceHint}>{t.trace(refusal.traceId)}</p>}
        {onRetry && <Button label={t.retry} onClick={onRetry} />}
      </div>
    </div>
  );
}

/** An empty place that says what to do. `whole` is for a view that has nothing else. */
export function Empty({ icon, title, hint, whole, children }: { icon: IconName; title: string; hint?: string; whole?: boolean; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      {whole ? <h1>{title}</h1> : <h2>{title}</h2>}
      {hint && <p>{hint}</p>}
      {children}
    </div>
  );
}

export function Loading() {
  return <div class="loading" role="status"><span class="visually-hidden">{t.loading}</span><span class="bar" /><span class="bar" /><span class="bar" /></div>;
}

export function Progress({ value, label }: { value: number; label: string }) {
  return <progress max={1} value={value} aria-label={label} />;
}

export function Notices({ notices, dismiss }: { notices: Notice[]; dismiss: (id: number) => void }) {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} class={`notice ${notice.tone}`}>
          <Icon name={notice.tone === "good" ? "check" : "warning"} />
          <div><p>{notice.text}</p>{notice.detail && <p class="faint">{notice.detail}</p>}</div>
          {notice.action && <Button label={notice.action.label} icon={notice.action.icon ?? "undo"} onClick={() => { dismiss(notice.id); notice.action!.run(); }} />}
          <Button label={t.close} icon="close" iconOnly kind="quiet" onClick={() => dismiss(notice.id)} />
        </div>
      ))}
    </div>
  );
}

/** A field with its label. */
export function Field({ label, hint, children }: { label: string; hint?: string; children: (id: string, hintId?: string) => ComponentChildren }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, hint ? `${id}-hint` : undefined)}
      {hint && <p class="faint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

export function ViewHead({ title, lead, children }: { title: string; lead?: string; children?: ComponentChildren }) {
  useEffect(() => { document.title = `${title} · ${t.brand}`; }, [title]);
  return (
    <div class="view-head">
      <div><h1 tabIndex={-1}>{title}</h1>{lead && <p class="faint">{lead}</p>}</div>
      <div class="view-actions">{children}</div>
    </div>
  );
}
