#!/usr/bin/env bash
# fastmcp raises for a documented success of an OpenAPI operation, after the API carried the call out.
#
# Expected: `FastMCP.from_openapi` makes a tool of each operation. An operation that answers text (`text/csv`, `type:
# string`) gives its text, and an operation with two documented successes (201 and 202) gives the answer that came.
#
# Observed: fastmcp sends the request, receives the documented success, and then compares it with the output schema
# that it made from the document. No text fulfils the schema of the CSV answer. For two successes it describes only one.
# The agent receives an error although the API did the work, so it may try again and do it twice.
#
# Versions: fastmcp 4.2.3, mcp 2.3.0, httpx2 2.16.2 (PyPI). Seen on 2026-11-29 with Python 3.11:
#
#   the API carried out: ['GET /people.csv', 'POST /imports']
#   export_people (text/csv): RuntimeError: Tool export_people has an output schema but did not return structured co
#   start_import (answer 202): RuntimeError: Invalid structured content returned by tool start_import: 'fileId' is a
#
# For you: describe a text answer without a schema, and pass `validate_output=False` for operations with two successes.
# Give an `Idempotency-Key` to writes, so that a second try changes nothing: Leadyard takes one for each POST.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check fastmcp==4.2.3 mcp==2.3.0 httpx2==2.16.2 2>/dev/null
"$work/venv/bin/python" - <<'PYTHON'
import asyncio

import httpx2
from fastmcp import Client, FastMCP

csv = {"description": "The file", "content": {"text/csv": {"schema": {"type": "string"}}}}


def made(field):
    schema = {"type": "object", "required": [field], "properties": {field: {"type": "string"}}}
    return {"description": field, "content": {"application/json": {"schema": schema}}}


document = {
    "openapi": "3.1.0",
    "info": {"title": "A small API", "version": "1"},
    "paths": {
        "/people.csv": {"get": {"operationId": "export_people", "responses": {"200": csv}}},
        "/imports": {"post": {"operationId": "start_import", "responses": {"201": made("fileId"), "202": made("jobId")}}},
    },
}
carried_out = []


def api(request):
    carried_out.append(f"{request.method} {request.url.path}")
    if request.method == "GET":
        return httpx2.Response(200, text="name\nAda\n", headers={"content-type": "text/csv"})
    return httpx2.Response(202, json={"jobId": "7"})


async def outcome(client, tool):
    try:
        result = await client.call_tool(tool, {}, raise_on_error=False)
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:72]}"
    return f"error: {result.is_error}, {result.content[0].text[:60]!r}"


async def main():
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(api), base_url="http://127.0.0.1")
    async with Client(FastMCP.from_openapi(document, client=http)) as client:
        seen = [await outcome(client, tool) for tool in ("export_people", "start_import")]
    print("the API carried out:", carried_out)
    print("export_people (text/csv):", seen[0])
    print("start_import (answer 202):", seen[1])
    if len(carried_out) != 2 or not all(text.startswith("RuntimeError") for text in seen):
        print("CHANGED: fastmcp no longer raises as described.")
        raise SystemExit(1)


asyncio.run(main())
PYTHON
