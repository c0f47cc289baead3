// Verifies webhooks, which have the format and the signature of Standard Webhooks 1.0.

import type { WebhookMessage } from "./types.js";

/** Why a request to your receiver is refused. */
export type VerificationFailure = "HEADERS_MISSING" | "WRONG_TIMESTAMP" | "WRONG_SIGNATURE" | "NOT_JSON";

/** A request that does not come from your webhook, or not now. Answer it with a 401. */
export class WebhookVerificationError extends Error {
  constructor(
    readonly code: VerificationFailure,
    message: string,
  ) {
    super(message);
    this.name = "WebhookVerificationError";
  }
}

export interface VerifyOptions {
  /** How many seconds `webhook-timestamp` may be away, 300 by default. */
  toleranceS?: number;
  /** The present time in milliseconds, for tests. */
  now?: number;
}

type AnyHeaders = Headers | Record<string, string | readonly string[] | undefined>;

/**
 * Verifies a request of a webhook and returns its body.
 *
 * @param secret The secret of the webhook, `whsec_…`, or several of them, of which one must fit.
 * @param headers The headers of the request: `Headers`, or those of Node.
 * @param body The bytes of the body as they came, or their text.
 * @throws WebhookVerificationError if the signature, the time or the headers are wrong; TypeError if a secret is not one.
 */
export async function verifyWebhook(
  secret: string | readonly string[],
  headers: AnyHeaders,
  body: string | Uint8Array,
  options: VerifyOptions = {},
): Promise<WebhookMessage> {
  const keys = await Promise.all([secret].flat().map(keyOf));
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
    headerOf(headers, name),
  );
  if (!id || !timestamp || !signatures) {
    throw new WebhookVerificationError(
      "HEADERS_MISSING",
      "webhook-id, webhook-timestamp or webhook-signature is missing.",
    );
  }
  const seconds = /^\d+$/.test(timestamp) ? Number(timestamp) : NaN;
  const awayS = Math.abs((options.now ?? Date.now()) / 1000 - seconds);
  if (!(awayS <= (options.toleranceS ?? 300))) {
    throw new WebhookVerificationError("WRONG_TIMESTAMP", "webhook-timestamp is too far away. Check your clock.");
  }
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (!(await isSigned(keys, signatures, joined(`${id}.${timestamp}.`, bytes)))) {
    throw new WebhookVerificationError(
      "WRONG_SIGNATURE",
      "No signature fits. Pass the body as it came, and the secret of this webhook.",
    );
  }
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as WebhookMessage;
  } catch {
    throw new WebhookVerificationError("NOT_JSON", "The body is signed, and it is not JSON.");
  }
}

/** Compares with `crypto.subtle.verify`, which takes the same time wherever two signatures differ. */
async function isSigned(
  keys: readonly CryptoKey[],
  signatures: string,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const [, signature = ""] of signatures.matchAll(/(?:^| )v1,(\S+)/g)) {
    const given = bytesOf(signature);
    for (const key of keys) {
      if (given && (await crypto.subtle.verify("HMAC", key, given, signed))) return true;
    }
  }
  return false;
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const bytes = bytesOf(secret.replace(/^whsec_/, ""));
  if (!bytes?.length) throw new TypeError("The secret of a webhook begins with whsec_ and continues in base64.");
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function joined(beginning: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const start = new TextEncoder().encode(beginning);
  const all = new Uint8Array(start.length + body.length);
  all.set(start);
  all.set(body, start.length);
  return all;
}

function headerOf(headers: AnyHeaders, name: string): string | null {
  if (headers instanceof Headers) return headers.get(name);
  const found = Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
  return found === undefined ? null : typeof found === "string" ? found : found.join(" ");
}
