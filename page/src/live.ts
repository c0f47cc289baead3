// Follows the events of the account group, so that a change by another tab, another person or a job appears by itself.

import { useEffect } from "preact/hooks";
import { SIGNED_OUT } from "./api";

const AGAIN_MS = 2_000;
const AT_ONCE_MS = 300;
// The service sends a sign of life every 15 seconds. A connection that is silent for longer has broken unnoticed.
const SILENT_MS = 40_000;
const GATHER_MS = 800;

/** Calls `onEvents` soon after something has changed, and `onConnection` when the service stops to answer and when it answers
 * again. A hidden tab does not listen: browsers allow few open connections. */
export function useLiveEvents(base: string, enabled: boolean, onEvents: () => void, onConnection: (isThere: boolean) => void): void {
  useEffect(() => {
    if (!enabled) return;
    let abort: AbortController | null = null;
    let last: string | undefined;
    let timer = 0;
    const changed = () => { if (!timer) timer = window.setTimeout(() => { timer = 0; onEvents(); }, GATHER_MS); };
    const listen = async (own: AbortController) => {
      let failures = 0;
      while (!own.signal.aborted) {
        try {
          const headers: Record<string, string> = { "X-Leadyard-Page": "1", Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) };
          const response = await fetch(`${base}/events`, { headers, signal: own.signal });
          // An older service has no events, and a key may lack the permission. Then the views ask from time to time.
          if (response.status === 404 || response.status === 403) return;
          if (response.status === 401) { window.dispatchEvent(new Event(SIGNED_OUT)); return; }
          if (response.status === 422) last = undefined;
          if (response.status >= 500) failures++;
          if (response.ok && response.body) {
            // What failed to load in between is loaded again.
            if (failures) changed();
            failures = 0;
            onConnection(true);
            await read(response.body.pipeThrough(new TextDecoderStream()).getReader());
          }
        } catch {
          // The connection has ended. The next one begins where this one stopped.
          failures++;
        }
        if (own.signal.aborted) return;
        if (failures > 1) onConnection(false);
        await new Promise((resolve) => setTimeout(resolve, failures > 1 ? AGAIN_MS : AT_ONCE_MS));
      }
    };
    const read = async (reader: ReadableStreamDefaultReader<string>) => {
      let rest = "";
      for (;;) {
        const silent = window.setTimeout(() => void reader.cancel(), SILENT_MS);
        const { done, value } = await reader.read().finally(() => window.clearTimeout(silent));
        if (done) return;
        const lines = (rest + value).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          if (line.startsWith("id:")) last = line.slice(3).trim();
          if (line.startsWith("data:")) changed();
        }
      }
    };
    const seen = () => {
      if (document.visibilityState === "visible" && !abort) {
        abort = new AbortController();
        void listen(abort);
        if (last) changed();
      } else if (document.visibilityState === "hidden") {
        abort?.abort();
        abort = null;
      }
    };
    seen();
    document.addEventListener("visibilitychange", seen);
    return () => { document.removeEventListener("visibilitychange", seen); abort?.abort(); window.clearTimeout(timer); };
  }, [base, enabled, onEvents, onConnection]);
}
