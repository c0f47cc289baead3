// Requests to the service. Each carries the header without which the session does not count, and never the key itself.

export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly details: string, readonly traceId: string, readonly extra: Record<string, unknown> = {}) {
    super(message);
  }
}

export interface Answer<T> { data: T; headers: Headers; status: number }
type Query = Record<string, string | number | boolean | undefined>;
interface Sent { body?: unknown; file?: Blob; query?: Query; signal?: AbortSignal; headers?: Record<string, string> }

const MARK = { "X-Leadyard-Page": "1" };
const ATTEMPTS = 4;
export const UNREACHABLE = "UNREACHABLE";
/** Fired on `window` when the service no longer accepts the session. */
export const SIGNED_OUT = "leadyard:signed-out";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends a request. A GET, and a POST with its idempotency key, are sent again after a broken connection, a 429 or a 503. */
export async function call<T>(method: string, path: string, sent: Sent = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: "application/json", ...MARK, ...sent.headers };
  if (sent.body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST" && path.startsWith("/v1/")) headers["Idempotency-Key"] ??= idempotencyKey();
  const repeats = method === "GET" || "Idempotency-Key" in headers;
  const init: RequestInit = { method, headers, credentials: "same-origin", signal: sent.signal, body: sent.file ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body)) };
  for (let attempt = 1; ; attempt++) {
    const last = attempt === ATTEMPTS || !repeats;
    let response: Response;
    try {
      response = await fetch(path + queryText(sent.query), init);
      // Inside, because the connection may also end in the middle of an answer.
      if (response.ok) return { data: (response.status === 204 ? undefined : (await response.json()).data) as T, headers: response.headers, status: response.status };
    } catch (error) {
      if (sent.signal?.aborted) throw error;
      if (last) throw new Refusal(0, UNREACHABLE, "", "", "");
      await pause(300 * 2 ** attempt);
      continue;
    }
    const refusal = await refusalOf(response);
    const wait = Number(response.headers.get("Retry-After") ?? NaN);
    if ((refusal.status === 429 || refusal.status === 503) && !last && wait <= 10) {
      await pause(wait * 1000);
      continue;
    }
    if (refusal.status === 401 && path !== "/session") window.dispatchEvent(new Event(SIGNED_OUT));
    throw refusal;
  }
}

async function refusalOf(response: Response): Promise<Refusal> {
  try {
    const { error, traceId } = await response.json();
    const { code, message, details, ...extra } = error;
    return new Refusal(response.status, code, message, details, traceId, extra);
  } catch {
    return new Refusal(response.status, `HTTP_${response.status}`, response.statusText, "", "");
  }
}

/** Uploads a file and reports how much of it has been sent, which `fetch` cannot. */
export function upload<T>(path: string, file: Blob, type: string, onProgress: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("X-Leadyard-Page", "1");
    request.setRequestHeader("Content-Type", type);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new Refusal(0, UNREACHABLE, "", "", ""));
    request.onload = async () => {
      const response = new Response(request.response, { status: request.status });
      if (response.ok) return resolve((await response.json()).data);
      const refusal = await refusalOf(response);
      if (refusal.status === 401) window.dispatchEvent(new Event(SIGNED_OUT));
      reject(refusal);
    };
    request.send(file);
  });
}

/** Downloads an answer as a file. A link would not carry the header that the session needs. */
export async function download(path: string, name: string): Promise<void> {
  const response = await fetch(path, { headers: MARK });
  if (!response.ok) throw await refusalOf(response);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Reads all pages of a short list, up to `most` items. */
export async function all<T>(path: string, query: Query = {}, most = 1000): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await call<{ items: T[]; nextCursor: string | null }>("GET", path, { query: { limit: 200, ...query, cursor } });
    items.push(...data.items);
    cursor = data.nextCursor ?? undefined;
  } while (cursor && items.length < most);
  return items;
}

export function idempotencyKey(): string {
  // crypto.randomUUID exists only over HTTPS and on the machine itself.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function queryText(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}
