#!/usr/bin/env bash
# jsforce's Bulk API uploads only the fields of the first record, and reports a success for all of them.
#
# Expected: `conn.bulk2.loadAndWaitForResults({ object: "Contact", operation: "update", input: records })` sends the fields
# of each record. A record that lacks a field leaves it as it is. `conn.update` and the Python client simple-salesforce
# do so.
#
# Observed: jsforce writes a CSV whose columns are the fields of the first record. Fields that only later records have are
# not sent. Salesforce receives a smaller, valid file, so no record fails. In a sync that sends only what has changed, each
# record has other fields, and which ones arrive depends on the record that is first.
#
# Versions: jsforce 3.10.16 (npm). Seen on 2026-11-30 with Node 20, against a local server that records the upload:
#
#   Email first: "Id,Email\n1,ada@people.example\n2,\n"
#   Phone first: "Id,Phone\n2,+44 20 7946 0018\n1,\n"
#
# For you: give every record the same keys, with undefined where nothing has changed. (null empties the field.)
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" jsforce@3.10.16

cat >"$work/upload.js" <<'JS'
const http = require("http");
const { Connection } = require("jsforce");

const ada = { Id: "1", Email: "ada@people.example" };
const bob = { Id: "2", Phone: "+44 20 7946 0018" };
const uploads = [];
const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const isCsv = request.method === "PUT" || request.url.endsWith("Results") || request.url.endsWith("records");
    if (request.method === "PUT") uploads.push(Buffer.concat(pieces).toString());
    response.setHeader("Content-Type", isCsv ? "text/csv" : "application/json");
    response.end(isCsv ? "sf__Id,sf__Created,Id\n" : JSON.stringify({ id: "750", state: "JobComplete" }));
  });
});
server.listen(0, "127.0.0.1", async () => {
  const instanceUrl = `http://127.0.0.1:${server.address().port}`;
  const connection = new Connection({ instanceUrl, accessToken: "none" });
  const load = { object: "Contact", operation: "update", pollInterval: 50, pollTimeout: 10000 };
  await connection.bulk2.loadAndWaitForResults({ ...load, input: [ada, bob] });
  await connection.bulk2.loadAndWaitForResults({ ...load, input: [bob, ada] });
  console.log("Email first:", JSON.stringify(uploads[0]));
  console.log("Phone first:", JSON.stringify(uploads[1]));
  server.closeAllConnections();
  server.close();
});
JS
node "$work/upload.js" | tee "$work/seen"

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: jsforce no longer drops these fields as described."; exit 1; }
Email first: "Id,Email\n1,ada@people.example\n2,\n"
Phone first: "Id,Phone\n2,+44 20 7946 0018\n1,\n"
EXPECTED
