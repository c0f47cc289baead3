// What every view shares: who is signed in, the account group, its lists, and the messages that stand at the edge.

import { createContext } from "preact";
import { useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { call, idempotencyKey, Refusal } from "./api";
import type { IconName } from "./icons";
import type { Audience, Navigation, Permission, Session } from "./types";

export interface Notice { id: number; text: string; tone: "good" | "bad"; detail?: string; action?: { label: string; icon?: IconName; run: () => void } }
export interface Features { transfers: boolean; webhooks: boolean }

export interface App {
  session: Session;
  group: string;
  base: string;
  navigation: Navigation | null;
  navigationError: Refusal | null;
  features: Features;
  /** False while the service does not answer. */
  isConnected: boolean;
  /** Rises whenever people or lists may have changed, so that views load again. */
  version: number;
  refresh: () => void;
  notify: (notice: Omit<Notice, "id">) => void;
  can: (permission: Permission) => boolean;
  listName: (id: string | null) => string | null;
}

export const AppContext = createContext<App>(null as unknown as App);
export const useApp = () => useContext(AppContext);

export function listsOf(navigation: Navigation | null): Audience[] {
  return navigation ? [...navigation.folders.flatMap((folder) => folder.audiences), ...navigation.ungroupedAudiences] : [];
}

export interface Loaded<T> { data: T | null; error: Refusal | null; loading: boolean; reload: () => void }

/** Loads something, again when `deps` change. The last data stays visible while newer data is loading. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, deps: unknown[], { everyMs }: { everyMs?: (data: T | null) => number | null } = {}): Loaded<T> {
  const [state, setState] = useState<{ data: T | null; error: Refusal | null; loading: boolean }>({ data: null, error: null, loading: true });
  const [turn, setTurn] = useState(0);
  const latest = useRef(everyMs);
  latest.current = everyMs;
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    setState((before) => ({ ...before, loading: true }));
    const again = (data: T | null) => {
      const wait = latest.current?.(data);
      if (wait && !abort.signal.aborted) timer = window.setTimeout(() => setTurn((n) => n + 1), wait);
    };
    load(abort.signal).then(
      (data) => {
        if (abort.signal.aborted) return;
        setState({ data, error: null, loading: false });
        again(data);
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setState((before) => ({ data: before.data, error: asRefusal(error), loading: false }));
        again(null);
      },
    );
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [...deps, turn]);
  return useMemo(() => ({ ...state, reload: () => setTurn((n) => n + 1) }), [state]);
}

/** Returns a function that gives the headers of a POST. The same request gets the same key again, so when you repeat it because
 * its answer was lost, it is done once. */
export function useRetry(): (request: unknown) => Record<string, string> {
  const kept = useRef({ request: "", key: "" });
  return (request) => {
    const text = JSON.stringify(request);
    if (kept.current.request !== text) kept.current = { request: text, key: idempotencyKey() };
    return { "Idempotency-Key": kept.current.key };
  };
}

export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal(0, "PAGE_ERROR", String((error as Error)?.message ?? error), "", "");
}

/** Finds out which parts the service has: an older one answers 404 to the paths of a newer page. */
export async function featuresOf(base: string, can: (permission: Permission) => boolean): Promise<Features> {
  const has = (path: string) => call("GET", base + path, { query: { limit: 1 } }).then(() => true, (error: unknown) => asRefusal(error).status !== 404);
  const [transfers, webhooks] = await Promise.all([can("audiences:read") ? has("/transfers") : false, can("webhooks:read") ? has("/webhooks") : false]);
  return { transfers, webhooks };
}
