// When a request is sent again, and after which pause.

/** How long the client waits, in milliseconds. */
export interface Patience {
  /** How long one attempt may take until its answer is there. Uploads and downloads have no such limit. */
  timeoutMs: number;
  /** No attempt begins later than this after the first one. 0 turns retries off. */
  giveUpAfterMs: number;
  /** The pause after the first broken connection. It doubles with each further one, up to 8 s. */
  backoffMs: number;
}

// The service ends each request after 60 s, and keeps one that waits for events for 30 s.
export const USUAL_PATIENCE: Patience = { timeoutMs: 100_000, giveUpAfterMs: 60_000, backoffMs: 200 };

const LONGEST_BACKOFF_MS = 8_000;
// These come from the service or from a proxy before it, and the request may be done. The service sends a 408 when
// it has not got the whole request.
const PASSING = new Set([408, 502, 503, 504]);

// Tests a receiver. It stores nothing, and so no answer for a key.
const WITHOUT_KEYS = /\/webhooks\/[^/]+\/test$/;

/** Returns whether an Idempotency-Key makes this request safe to repeat. */
export function takesKey(method: string, path: string): boolean {
  return method === "POST" && path.startsWith("/v1/") && !WITHOUT_KEYS.test(path);
}

/**
 * Returns whether a request that may have been done can be sent again. A PATCH of this API sets fields to values, so a
 * second one changes nothing more.
 */
export function isRepeatable(method: string, hasKey: boolean): boolean {
  return method !== "POST" || hasKey;
}

/** Returns whether another attempt may succeed after this refusal. */
export function isPassing(status: number, code: string, retryAfterS: number | null, repeatable: boolean): boolean {
  if (status === 429) return true; // Refused before any work, whatever the method.
  if (!repeatable) return false;
  // The first request with this key is still in flight. Otherwise the key belongs to another request, and stays refused.
  return PASSING.has(status) || (code === "IDEMPOTENCY_CONFLICT" && retryAfterS !== null);
}

/** Returns the pause before the next attempt, in milliseconds. Many clients that fail together spread their attempts. */
export function pauseMs(attempts: number, retryAfterS: number | null, backoffMs: number): number {
  if (retryAfterS !== null) return retryAfterS * 1000 + Math.random() * Math.min(1000, 50 + retryAfterS * 250);
  const longest = Math.min(LONGEST_BACKOFF_MS, backoffMs * 2 ** (attempts - 1));
  return longest * (0.5 + Math.random() / 2);
}

/** Returns the seconds of a `Retry-After`, which may be a number or a date, or null if there is none. */
export function retryAfterOf(headers: Headers): number | null {
  const value = headers.get("Retry-After");
  if (value === null) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}

/** Resolves after the time, or rejects with the reason of the signal as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
