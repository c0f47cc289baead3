// Writes what the client has from openapi.json: src/openapi.ts with all types, and src/operations.ts with the method and
// the path of each operation. `script/typescript-client` runs it after a change of the document.

import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const HERE = import.meta.dirname;
const NOTICE = "// `script/typescript-client` makes this file from openapi.json. Do not edit it.\n\n";
// The keys in these are names of the API, and not words of OpenAPI.
const MAPS = new Set(["properties", "schemas", "paths", "webhooks", "responses", "content"]);
const document = JSON.parse(readFileSync(`${HERE}/../../openapi.json`, "utf-8"));

function write(name, text) {
  writeFileSync(`${HERE}/src/${name}`, `${NOTICE}${text.replace(/[ \t]+$/gm, "").trim()}\n`);
}

/**
 * Returns the document without what a type cannot express, and without what is the same for every operation: the
 * refusals, which are one class, and the headers. With them the types would be ten times as long.
 */
function essential(value, isMap = false) {
  if (Array.isArray(value)) return value.map((each) => essential(each));
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(
    ([name]) => isMap || !["example", "examples", "title", "tags", "pattern"].includes(name),
  );
  return Object.fromEntries(kept.map(([name, part]) => [name, essential(part, MAPS.has(name) && !isMap)]));
}

const types = essential(document);
for (const methods of Object.values(types.paths)) {
  for (const operation of Object.values(methods)) {
    const answers = Object.entries(operation.responses).filter(([status]) => status.startsWith("2"));
    operation.responses = Object.fromEntries(answers.map(([status, { headers, ...answer }]) => [status, answer]));
  }
}

// A field with a default may be left out of a request, so it must not become a required one.
write("openapi.ts", astToString(await openapiTS(types, { defaultNonNullable: false })));

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId }]) => ({ operationId, method: method.toUpperCase(), path })),
);
const lines = operations.map(({ operationId, method, path }) => `  ${operationId}: ["${method}", "${path}"],`);
write("operations.ts", `export const OPERATIONS = {\n${lines.join("\n")}\n} as const;`);
