// Follows a transfer until it ends, and reports the end.

import { call } from "./api";
import { asRefusal, type App } from "./app";
import { t } from "./text";
import type { Transfer } from "./types";

const EVERY_MS = 700;

/** `onEnd` gets the completed transfer, and `onAgain` opens the preview again if the list had changed before the job began. */
export async function watchTransfer(app: App, jobId: string, onEnd?: (transfer: Transfer) => void, onAgain?: () => void): Promise<void> {
  // The lists of a transfer are left out of the navigation until it ends.
  app.refresh();
  for (;;) {
    let transfer: Transfer;
    try {
      transfer = (await call<Transfer>("GET", `${app.base}/transfers/${jobId}`)).data;
    } catch (error) {
      const refusal = asRefusal(error);
      // A service that restarts comes back. Any other refusal will be the same next time.
      if (refusal.status && refusal.status < 500) return;
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS * 4));
      continue;
    }
    if (transfer.status === "completed" || transfer.status === "failed" || transfer.status === "cancelled") {
      if (transfer.status === "completed" && onEnd) onEnd(transfer);
      else if (transfer.status === "completed") app.notify({ tone: "good", text: t.jobs.transferDone(transfer.count ?? 0) });
      else if (transfer.status === "failed") app.notify({ tone: "bad", text: failure(transfer), action: onAgain && hasChanged(transfer) ? { label: t.act.again, icon: "search", run: onAgain } : undefined });
      else app.notify({ tone: "good", text: t.jobs.cancelled });
      app.refresh();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

const hasChanged = ({ error }: Pick<Transfer, "error">) => error?.code === "SELECTION_CHANGED";

export function failure(transfer: Pick<Transfer, "error">): string {
  const { error } = transfer;
  if (hasChanged(transfer) && error?.count !== undefined) return t.act.changed(error.count ?? 0);
  return t.jobs.failed(error?.message ?? "");
}

