// Requests to the service, by the TypeScript client in `clients/typescript`, which repeats them when that is safe. Each
// carries the header without which the session does not count, and never the key itself.

import { Connection, newIdempotencyKey, type Answer, type ConnectionOptions } from "../../clients/typescript/src/connection";
import { LeadyardError } from "../../clients/typescript/src/errors";

export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly details: string, readonly traceId: string, readonly extra: Record<string, unknown> = {}) {
    super(message);
  }
}

export type { Answer };
export { newIdempotencyKey as idempotencyKey };
type Query = Record<string, string | number | boolean | undefined>;
interface Sent { body?: unknown; file?: Blob; query?: Query; signal?: AbortSignal; headers?: Record<string, string> }

export const UNREACHABLE = "UNREACHABLE";
/** Fired on `window` when the service no longer accepts the session. */
export const SIGNED_OUT = "leadyard:signed-out";

// A person waits for the answer, so the page gives up sooner than a program.
const OPTIONS: ConnectionOptions = { baseUrl: "", headers: { "X-Leadyard-Page": "1" }, credentials: "same-origin", giveUpAfterMs: 5_000, backoffMs: 300 };
const connection = new Connection(OPTIONS);

/** Sends a request, and again after a broken connection, a 429 or a 503. Throws a Refusal, or the reason of the signal. */
export function call<T>(method: string, path: string, sent: Sent = {}): Promise<Answer<T>> {
  return through(connection, method, path, sent);
}

async function through<T>(service: Connection, method: string, path: string, sent: Sent): Promise<Answer<T>> {
  try {
    return await service.send<T>(method, path, sent);
  } catch (error) {
    if (!(error instanceof LeadyardError)) throw error;
    if (error.status === 401 && path !== "/session") window.dispatchEvent(new Event(SIGNED_OUT));
    throw refusalOf(error);
  }
}

/** The client explains what a program can do about an answer that is not one of the service. The page has its own text. */
function refusalOf({ status, code, message, details, traceId, fields }: LeadyardError): Refusal {
  if (code === UNREACHABLE) return new Refusal(0, UNREACHABLE, "", "", "");
  return new Refusal(status, code, message, code === "UNEXPECTED_ANSWER" ? "" : details, traceId, { ...fields });
}

/** Uploads a file and reports how much of it has been sent. */
export async function upload<T>(path: string, file: Blob, type: string, onProgress: (share: number) => void): Promise<T> {
  const service = new Connection({ ...OPTIONS, fetch: reporting(onProgress) });
  return (await through<T>(service, "POST", path, { file, headers: { "Content-Type": type } })).data;
}

/** Returns a `fetch` for uploads that reports its progress, which the `fetch` of a browser cannot. */
function reporting(onProgress: (share: number) => void): typeof fetch {
  return (url, { method = "POST", headers, body } = {}) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, String(url));
      request.responseType = "blob";
      new Headers(headers).forEach((value, name) => request.setRequestHeader(name, value));
      request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
      request.onerror = () => reject(new TypeError("The connection was lost."));
      request.onload = () => {
        const lines = request.getAllResponseHeaders().trim().split("\r\n");
        const given = lines.map((line): [string, string] => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
        resolve(new Response(request.response as Blob, { status: request.status, headers: given }));
      };
      request.send(body as Blob);
    });
}

/** Downloads an answer as a file. A link would not carry the header that the session needs. */
export async function download(path: string, name: string): Promise<void> {
  const { data } = await call<ReadableStream<Uint8Array<ArrayBuffer>>>("GET", path, { headers: { Accept: "*/*" } });
  const url = URL.createObjectURL(await new Response(data).blob());
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
