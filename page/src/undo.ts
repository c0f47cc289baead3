// Takes a change back, and says what came of it. Used wherever an undo is offered.

import { call } from "./api";
import { asRefusal, type App } from "./app";
import { t } from "./text";
import { watchTransfer } from "./watch";
import type { Undone } from "./types";

export async function undo(app: App, changeId: string, skipChanged = false): Promise<void> {
  try {
    const { data } = await call<Undone>("POST", `${app.base}/changes/${changeId}/undo`, { body: { skipChanged } });
    if (data.jobId) {
      app.notify({ tone: "good", text: t.undo.started });
      await watchTransfer(app, data.jobId);
      return;
    }
    const detail = [data.skippedCount ? t.undo.skipped(data.skippedCount) : "", data.keptEdits ? t.undo.kept(data.keptEdits) : ""].filter(Boolean).join(" ");
    app.notify({ tone: "good", text: t.undo.done(data.undoneCount ?? 0), detail: detail || undefined });
    app.refresh();
  } catch (error) {
    const refusal = asRefusal(error);
    if (refusal.code === "CHANGED_SINCE") {
      app.notify({ tone: "bad", text: t.undo.changed(Number(refusal.extra.leadCount ?? 0)), action: { label: t.undo.skip, run: () => void undo(app, changeId, true) } });
    } else {
      app.notify({ tone: "bad", text: refusal.code === "ALREADY_UNDONE" ? t.undo.already : refusal.message || t.unreachable, detail: refusal.details });
    }
  }
}

/** Shows the result of a change, with the undo beside it. */
export function reportDone(app: App, text: string, changeId: string | null, counts: { name: string; count: number }[]): void {
  const detail = counts.map((each) => t.act.countsNow(each.name, each.count)).join(" · ");
  app.notify({ tone: "good", text, detail, action: changeId ? { label: t.act.undo, run: () => void undo(app, changeId) } : undefined });
  app.refresh();
}

