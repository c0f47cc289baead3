#!/usr/bin/env bash
# openapi-fetch sends a CSV as JSON, although you set `Content-Type: text/csv`: text gets quotes, and a Blob becomes `{}`.
#
# Expected: you pass the CSV text, or a Blob, with the header `Content-Type: text/csv`. The server receives that text. The
# platform's own `fetch` sends both as they are.
#
# Observed: the client passes each body but FormData (and text forms) through `JSON.stringify`, also when the content
# type that you set is not JSON. From text the server receives one line in quotes, with `\n` as two characters. From a Blob
# it receives the two characters `{}`: the file is gone. Both are labelled as CSV, and the client reports a success.
# With `bodySerializer: (body) => body`, both arrive intact.
#
# Versions: openapi-fetch 0.17.0 (npm). Seen on 2026-11-29 with Node 20:
#
#   string: text/csv, 40 characters: "\"firstName,email\\nAda,ada@example.org\\n\""
#   Blob: text/csv, 2 characters: "{}"
#   string with bodySerializer: text/csv, 36 characters: "firstName,email\nAda,ada@example.org\n"
#   Blob with bodySerializer: text/csv, 36 characters: "firstName,email\nAda,ada@example.org\n"
#
# For you: set `bodySerializer` on each upload, and compare the size that the server reports with the size of the file.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" openapi-fetch@0.17.0
cat >"$work/upload.mjs" <<'JS'
import createClient from "openapi-fetch";

const csv = "firstName,email\nAda,ada@example.org\n";
const sent = [];
const fetch = async (request) => {
  sent.push([request.headers.get("content-type"), await request.text()]);
  return new Response(null, { status: 204 });
};
const client = createClient({ baseUrl: "http://127.0.0.1", fetch });
const headers = { "Content-Type": "text/csv" };
const bodySerializer = (body) => body;
await client.POST("/uploads", { body: csv, headers });
await client.POST("/uploads", { body: new Blob([csv]), headers });
await client.POST("/uploads", { body: csv, headers, bodySerializer });
await client.POST("/uploads", { body: new Blob([csv]), headers, bodySerializer });
["string", "Blob", "string with bodySerializer", "Blob with bodySerializer"].forEach((name, i) =>
  console.log(`${name}: ${sent[i][0]}, ${sent[i][1].length} characters: ${JSON.stringify(sent[i][1])}`),
);
const described = [JSON.stringify(csv), "{}", csv, csv];
if (!sent.every(([type, text], i) => type === "text/csv" && text === described[i])) {
  console.log("CHANGED: openapi-fetch no longer quotes the text as described.");
  process.exit(1);
}
JS
node "$work/upload.mjs"
