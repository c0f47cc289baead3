// The signature of a webhook. `operations.test.ts` verifies real ones.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { verifyWebhook, WebhookVerificationError, type VerificationFailure } from "leadyard-client";

// The example of the specification of Standard Webhooks.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_eiL9fmrAzNbfqfHFYQfD3D0Yh2DzfJ+KNRU0O7VovqU=";
const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT = 1614265330;
const BODY = '{"test": 2432232314}';
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const NOW = { now: AT * 1000 };

function headers(more: Record<string, string | undefined> = {}): Record<string, string | undefined> {
  return { "webhook-id": ID, "webhook-timestamp": String(AT), "webhook-signature": SIGNATURE, ...more };
}

function sign(body: string, secret = SECRET, at = AT): string {
  return `v1,${createHmac("sha256", Buffer.from(secret.slice(6), "base64"))
    .update(`${ID}.${at}.${body}`)
    .digest("base64")}`;
}

async function fails(
  code: VerificationFailure,
  ...[given, body = BODY, options = NOW]: [given: Record<string, string | undefined>, body?: string, options?: object]
) {
  await assert.rejects(
    verifyWebhook(SECRET, given, body, options),
    (error) => error instanceof WebhookVerificationError && error.code === code,
  );
}

test("a signed body is returned, from text and from bytes, with any kind of headers", async () => {
  assert.deepEqual(await verifyWebhook(SECRET, headers(), BODY, NOW), { test: 2432232314 });
  assert.deepEqual(await verifyWebhook(SECRET, headers(), new TextEncoder().encode(BODY), NOW), { test: 2432232314 });
  assert.deepEqual(await verifyWebhook(SECRET, headers(), Buffer.from(BODY), NOW), { test: 2432232314 });
  const given = Object.entries(headers()).map(([name, value]): [string, string] => [name.toUpperCase(), value ?? ""]);
  assert.deepEqual(await verifyWebhook(SECRET, new Headers(given), BODY, NOW), { test: 2432232314 });
  assert.deepEqual(await verifyWebhook(SECRET, Object.fromEntries(given), BODY, NOW), { test: 2432232314 });
});

test("one of several signatures or secrets is enough", async () => {
  await verifyWebhook(
    SECRET,
    headers({ "webhook-signature": `${sign(BODY, OTHER)} v1a,AAAA ${SIGNATURE}` }),
    BODY,
    NOW,
  );
  await verifyWebhook([OTHER, SECRET], headers(), BODY, NOW);
});

test("text of any language is verified as it came", async () => {
  const body = '{"name": "Ünïcode ✓ 😀"}';
  assert.deepEqual(await verifyWebhook(SECRET, headers({ "webhook-signature": sign(body) }), body, NOW), {
    name: "Ünïcode ✓ 😀",
  });
});

test("another body, id, time or secret is refused", async () => {
  await fails("WRONG_SIGNATURE", headers(), BODY.replace("4", "5"));
  await fails("WRONG_SIGNATURE", headers(), `${BODY} `);
  await fails("WRONG_SIGNATURE", headers({ "webhook-id": "msg_other" }));
  await fails("WRONG_SIGNATURE", headers({ "webhook-timestamp": String(AT + 1) }));
  await fails("WRONG_SIGNATURE", headers({ "webhook-signature": sign(BODY, OTHER) }));
  for (const signature of [
    "v1,AAAA",
    "v1,***",
    "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    SIGNATURE.replace("v1", "v2"),
    SIGNATURE.slice(0, -5),
    "v1,",
  ]) {
    await fails("WRONG_SIGNATURE", headers({ "webhook-signature": signature }));
  }
});

test("a request from another time is refused", async () => {
  const now = (seconds: number) => ({ now: (AT + seconds) * 1000 });
  await verifyWebhook(SECRET, headers(), BODY, now(299));
  await verifyWebhook(SECRET, headers(), BODY, now(-299));
  for (const seconds of [301, -301]) await fails("WRONG_TIMESTAMP", headers(), BODY, now(seconds));
  await verifyWebhook(SECRET, headers(), BODY, { ...now(1000), toleranceS: 1001 });
  await fails("WRONG_TIMESTAMP", headers(), BODY, {});
  for (const timestamp of ["soon", "1e9", "-1", " "])
    await fails("WRONG_TIMESTAMP", headers({ "webhook-timestamp": timestamp }));
});

test("missing headers and signed text that is not JSON are refused", async () => {
  for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"])
    await fails("HEADERS_MISSING", headers({ [name]: undefined }));
  await fails("NOT_JSON", headers({ "webhook-signature": sign("hello") }), "hello");
});

test("a secret that is not one is a mistake of the program", async () => {
  for (const secret of ["whsec_", "", "whsec_***"])
    await assert.rejects(verifyWebhook(secret, headers(), BODY, NOW), TypeError);
});
