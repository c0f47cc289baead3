// Sends requests, and sends them again while that is safe. It has no types of the API: `client.ts` adds them.

import { LeadyardError } from "./errors.js";
import {
  isPassing,
  isRepeatable,
  pause,
  pauseMs,
  retryAfterOf,
  takesKey,
  USUAL_PATIENCE,
  type Patience,
} from "./retrying.js";

/** A file to upload. A `Blob`, bytes or a text can be sent again; of a stream, pass a function that opens it. */
export type FileBody =
  Blob | Uint8Array | ArrayBuffer | string | ReadableStream<Uint8Array> | (() => ReadableStream<Uint8Array>);

export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** A pause before another attempt, for your log. */
export interface Retry {
  method: string;
  path: string;
  /** How many attempts have failed. */
  attempts: number;
  waitMs: number;
  error: LeadyardError;
}

export interface ConnectionOptions extends Partial<Patience> {
  /** Where the service is, such as `https://leads.example.com`. Empty for the host of the page. */
  baseUrl: string;
  /** Sent as a bearer token. */
  apiKey?: string;
  /** Sent with every request. */
  headers?: Record<string, string>;
  credentials?: "omit" | "same-origin" | "include";
  /** Another `fetch`, for example one that uses a proxy. */
  fetch?: typeof fetch;
  onRetry?: (retry: Retry) => void;
}

/** What you can choose for a single request. */
export interface RequestOptions extends Partial<Patience> {
  /** Aborts the request and its retries. The promise rejects with the reason of the signal. */
  signal?: AbortSignal;
  /** Your own key of a POST, for example one that you have stored. Otherwise the client makes one. */
  idempotencyKey?: string;
  headers?: Record<string, string>;
}

export interface Sent extends RequestOptions {
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  file?: FileBody;
}

export interface Answer<Data> {
  data: Data;
  status: number;
  headers: Headers;
  /** The id of the request in the log of the service. */
  traceId: string;
}

/** One request, prepared once, so that each attempt sends the same. */
interface Prepared {
  method: string;
  path: string;
  url: string;
  headers: Headers;
  body: () => BodyInit | undefined;
  key: string | null;
  repeatable: boolean;
  signal: AbortSignal | undefined;
  patience: Patience;
}

/** The shape of every JSON answer of the service. */
interface Envelope {
  success?: unknown;
  data?: unknown;
  error?: Record<string, unknown> | null;
  traceId?: unknown;
}

type Outcome = { answer: Answer<unknown> } | { error: LeadyardError; passing: boolean };

/** Returns the URL without what the client adds. Only in a browser it may be empty: then it is that of the page. */
function checkedBase(url: string): string {
  const base = url.replace(/\/+$/, "").replace(/\/v1$/, "");
  if (base === "" && typeof location !== "undefined") return base;
  if (!/^https?:\/\/[^/?#]+[^?#]*$/i.test(base)) {
    throw new TypeError("baseUrl must be the URL of the service, such as https://leads.example.com.");
  }
  return base;
}

/** Returns the key without the space around it. The error does not contain the key, because programs log errors. */
function checkedKey(key: string): string {
  const trimmed = key.trim();
  if (!/^[!-~]*$/.test(trimmed)) throw new TypeError("apiKey contains characters that no key has. Copy it again, on one line.");
  return trimmed;
}

/** Requests to one service. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #base: string;

  /** Throws a TypeError if `baseUrl` is not the URL of a service, or `apiKey` cannot be sent. */
  constructor(options: ConnectionOptions) {
    this.#base = checkedBase(options.baseUrl);
    this.#options = options.apiKey === undefined ? options : { ...options, apiKey: checkedKey(options.apiKey) };
  }

  /**
   * Sends a request and returns its answer: the `data` of JSON, nothing for a 204, a stream for other media types. Throws
   * a LeadyardError when the service refuses it, or when no attempt got an answer.
   */
  async send<Data>(method: string, path: string, sent: Sent = {}): Promise<Answer<Data>> {
    const request = this.#prepare(method, path, sent);
    const started = Date.now();
    for (let attempts = 1; ; attempts++) {
      request.signal?.throwIfAborted();
      const outcome = await this.#attempt(request, attempts);
      if ("answer" in outcome) return outcome.answer as Answer<Data>;
      const { error } = outcome;
      const waitMs = pauseMs(attempts, error.retryAfterS, request.patience.backoffMs);
      if (!outcome.passing || Date.now() + waitMs - started > request.patience.giveUpAfterMs) throw error;
      this.#options.onRetry?.({ method, path, attempts, waitMs, error });
      await pause(waitMs, request.signal);
    }
  }

  #prepare(method: string, path: string, sent: Sent): Prepared {
    const { apiKey } = this.#options;
    const headers = new Headers({ Accept: "application/json", ...this.#options.headers, ...sent.headers });
    if (apiKey !== undefined) headers.set("Authorization", `Bearer ${apiKey}`);
    if (sent.body !== undefined) headers.set("Content-Type", "application/json");
    else if (sent.file !== undefined && !headers.has("Content-Type")) headers.set("Content-Type", typeOf(sent.file));
    const key = takesKey(method, path)
      ? (sent.idempotencyKey ?? headers.get("Idempotency-Key") ?? newIdempotencyKey())
      : null;
    if (key !== null) headers.set("Idempotency-Key", key);
    const text = sent.body === undefined ? undefined : JSON.stringify(sent.body);
    const { file } = sent;
    return {
      method,
      path,
      url: this.#base + path + queryText(sent.query),
      headers,
      // A view of any memory is a body, although the type of `fetch` names one kind of memory only.
      body: () => (typeof file === "function" ? file() : (file ?? text)) as BodyInit | undefined,
      key,
      repeatable: isRepeatable(method, key !== null) && !(file instanceof ReadableStream),
      signal: sent.signal,
      patience: this.#patienceFor(sent),
    };
  }

  #patienceFor(sent: Sent): Patience {
    const chosen = (name: keyof Patience) => sent[name] ?? this.#options[name] ?? USUAL_PATIENCE[name];
    const timeoutMs = sent.file === undefined ? chosen("timeoutMs") : Infinity;
    // A stream is used up by the first attempt.
    const giveUpAfterMs = sent.file instanceof ReadableStream ? 0 : chosen("giveUpAfterMs");
    return { timeoutMs, giveUpAfterMs, backoffMs: chosen("backoffMs") };
  }

  async #attempt(request: Prepared, attempts: number): Promise<Outcome> {
    const timeout = new AbortController();
    const timer = Number.isFinite(request.patience.timeoutMs)
      ? setTimeout(
          () => timeout.abort(new Error(`no answer within ${request.patience.timeoutMs} ms`)),
          request.patience.timeoutMs,
        )
      : undefined;
    try {
      const response = await this.#fetch(request, timeout.signal);
      return await outcomeOf(request, response, attempts);
    } catch (cause) {
      request.signal?.throwIfAborted();
      return { error: unreachable(request, attempts, cause), passing: request.repeatable };
    } finally {
      clearTimeout(timer);
    }
  }

  #fetch(request: Prepared, timeout: AbortSignal): Promise<Response> {
    const body = request.body();
    const init: RequestInit & { duplex?: "half" } = {
      method: request.method,
      headers: request.headers,
      // A redirect would turn a POST into a GET.
      redirect: "manual",
      signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
    };
    if (body !== undefined) init.body = body;
    if (body instanceof ReadableStream) init.duplex = "half";
    if (this.#options.credentials) init.credentials = this.#options.credentials;
    // Called without an object: browsers refuse a `fetch` that is called as the method of another one.
    const send = this.#options.fetch ?? fetch;
    return send(request.url, init);
  }
}

/** Reads an answer. Throws if the connection breaks before its end. */
async function outcomeOf(request: Prepared, response: Response, attempts: number): Promise<Outcome> {
  const { status, headers } = response;
  const isJson = /\bjson\b/.test(headers.get("Content-Type") ?? "");
  if (response.ok && status === 204) return { answer: { data: undefined, status, headers, traceId: "" } };
  if (response.ok && !isJson) {
    if (response.body === null || headers.get("Content-Type")?.startsWith("text/html"))
      return unexpected(request, response, attempts);
    return { answer: { data: response.body, status, headers, traceId: "" } };
  }
  if (!isJson) return unexpected(request, response, attempts);
  const body = (await response.json()) as Envelope | null;
  if (typeof body?.success !== "boolean") return unexpected(request, response, attempts);
  const traceId = String(body.traceId);
  if (response.ok) return { answer: { data: body.data, status, headers, traceId } };
  return refused(request, response, attempts, body.error ?? {}, traceId);
}

function refused(
  request: Prepared,
  response: Response,
  attempts: number,
  problem: Record<string, unknown>,
  traceId: string,
): Outcome {
  const { code, message, details, ...fields } = problem;
  const retryAfterS = retryAfterOf(response.headers);
  const error = new LeadyardError({
    code: String(code),
    message: String(message),
    details: String(details),
    status: response.status,
    traceId,
    fields,
    retryAfterS,
    attempts,
    idempotencyKey: request.key,
  });
  return { error, passing: isPassing(response.status, error.code, retryAfterS, request.repeatable) };
}

/** An answer that the service does not send: of a proxy, or of another program at this address. */
async function unexpected(request: Prepared, response: Response, attempts: number): Promise<Outcome> {
  await response.body?.cancel().catch(() => undefined);
  const isRedirect = response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400);
  const target = response.headers.get("Location");
  const retryAfterS = retryAfterOf(response.headers);
  const error = new LeadyardError({
    code: "UNEXPECTED_ANSWER",
    message: isRedirect
      ? "The address redirects to another one."
      : `The answer ${response.status} is not one of Leadyard.`,
    details: isRedirect
      ? `Set baseUrl to the address it leads to${target ? `, which begins like ${target}` : ""}.`
      : "Check baseUrl, and the log of the proxy before the service.",
    status: response.status,
    traceId: "",
    fields: {},
    retryAfterS,
    attempts,
    idempotencyKey: request.key,
  });
  return { error, passing: !isRedirect && isPassing(response.status, error.code, retryAfterS, request.repeatable) };
}

function unreachable(request: Prepared, attempts: number, cause: unknown): LeadyardError {
  const mayBeDone = request.method === "GET" ? "" : " The request may have been done.";
  const again = request.key === null ? "" : " Send it again with the same idempotencyKey: it is carried out once.";
  const parts = {
    code: "UNREACHABLE",
    message: "The service gave no answer.",
    details: `Check baseUrl and the network.${mayBeDone}${mayBeDone && again}`,
    status: 0,
    traceId: "",
    fields: {},
    retryAfterS: null,
    attempts,
    idempotencyKey: request.key,
  };
  return new LeadyardError(parts, { cause });
}

function typeOf(file: FileBody): string {
  if (file instanceof Blob && file.type !== "") return file.type;
  return typeof file === "string" ? "text/plain; charset=utf-8" : "application/octet-stream";
}

/** Returns 128 random bits in hexadecimal. `crypto.randomUUID` is missing in a page that came over plain HTTP. */
export function newIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns the query with its question mark. Leaves out what is null, undefined or empty, and joins lists with commas. */
function queryText(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}
