#!/usr/bin/env bash
# openapi-to-postmanv2 writes the same Idempotency-Key, `<string>`, into each POST and switches it on.
#
# Expected: an optional header parameter becomes a header of the Postman collection that is switched off or empty. The
# client must choose this value new for each request, so the converter can only leave it out.
#
# Observed: the converter writes the placeholder `<string>`, switched on, and ignores the `minLength` of the schema. It
# looks like a hint to a reader, but Postman sends it, and it is a valid key. The first POST claims it for its own body.
# A server that keeps such keys then refuses the other POSTs, because they reuse a key with other data.
#
# Versions: openapi-to-postmanv2 6.3.3 (npm). Seen on 2026-11-29 with Node 20:
#
#   by default: "<string>" on, "<string>" on
#   enableOptionalParameters false: "<string>" off, "<string>" off
#
# For you: convert with `enableOptionalParameters: false`, or put Postman's variable `{{$guid}}` into the header.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" openapi-to-postmanv2@6.3.3
cat >"$work/convert.js" <<'JS'
const converter = require("openapi-to-postmanv2");

const parameter = { name: "Idempotency-Key", in: "header", required: false, schema: { type: "string", minLength: 16 } };
const post = (operationId) => ({
  post: { operationId, parameters: [parameter], responses: { 201: { description: "Made" } } },
});
const document = {
  openapi: "3.1.0",
  info: { title: "A small API", version: "1" },
  paths: { "/audiences": post("create"), "/moves": post("move") },
};
const headers = (options) =>
  new Promise((resolve, reject) =>
    converter.convertV2({ type: "json", data: document }, options, (error, result) => {
      if (error || !result.result) return reject(error || result.reason);
      const found = [];
      const walk = (items) => items.forEach((item) => (item.item ? walk(item.item) : found.push(item.request.header)));
      walk(result.output[0].data.item);
      resolve(found.flat().filter((header) => header.key === "Idempotency-Key"));
    }),
  );
(async () => {
  const byDefault = await headers({});
  const without = await headers({ enableOptionalParameters: false });
  const shown = (list) => list.map(({ value, disabled }) => `${JSON.stringify(value)} ${disabled ? "off" : "on"}`).join(", ");
  console.log("by default:", shown(byDefault));
  console.log("enableOptionalParameters false:", shown(without));
  const [first, second] = byDefault;
  const same = byDefault.length === 2 && first.value === second.value && first.value === "<string>";
  if (!same || first.disabled || second.disabled || !without.every((header) => header.disabled)) {
    console.log("CHANGED: the converter no longer gives each POST the same key, switched on.");
    process.exit(1);
  }
})();
JS
node "$work/convert.js"
