#!/usr/bin/env bash
# The Python client of openapi-generator refuses `true` for a boolean whose `const` is true.
#
# Expected: `success: {type: boolean, const: true}` is valid in OpenAPI 3.1, and the answer `{"success": true}` fits it.
#
# Observed: the generated model compares the boolean with the text 'true', so it refuses the only value that the document
# allows. The client sends the request, the server carries it out, and then each successful answer ends in a
# ValidationError. `enum: [true]` gives the same code.
#
# Versions: openapi-generator 7.26.0 (PyPI openapi-generator-cli, needs Java 11 or newer). Seen on 2026-11-29 with Java 17
# and Python 3.11:
#
#   const: Value error, must be one of enum values ('true')
#   enum: Value error, must be one of enum values ('true')
#   plain: accepted
#
# For you: write `type: boolean` alone, and name the value in the description. Leadyard's document does so.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openapi-generator-cli==7.26.0 pydantic==2.14.4 \
  python-dateutil==2.9.0.post0 urllib3==2.8.0 2>/dev/null

answer_with() {
  local name=$1 rule=$2
  cat >"$work/$name.json" <<JSON
{
  "openapi": "3.1.0",
  "info": {"title": "A small API", "version": "1"},
  "paths": {"/moves": {"post": {"operationId": "move", "responses": {"200": {"description": "Moved", "content": {
    "application/json": {"schema": {"\$ref": "#/components/schemas/Answer"}}}}}}}},
  "components": {"schemas": {"Answer": {
    "type": "object", "required": ["success"], "properties": {"success": {"type": "boolean"$rule}}}}}
}
JSON
  "$work/venv/bin/openapi-generator-cli" generate -i "$work/$name.json" -g python -o "$work/$name" >"$work/$name.log" 2>&1
  PYTHONPATH="$work/$name" "$work/venv/bin/python" - "$name" <<'PYTHON'
import sys

from openapi_client.models.answer import Answer
from pydantic import ValidationError

try:
    Answer.from_json('{"success": true}')
    print(f"{sys.argv[1]}: accepted")
except ValidationError as error:
    print(f"{sys.argv[1]}: {error.errors()[0]['msg']}")
PYTHON
}

seen=$(
  answer_with const ', "const": true'
  answer_with enum ', "enum": [true]'
  answer_with plain ''
)
printf '%s\n' "$seen"
if [[ $seen != "const: Value error, must be one of enum values ('true')
enum: Value error, must be one of enum values ('true')
plain: accepted" ]]; then
  printf 'CHANGED: the generated client no longer refuses true as described.\n'
  exit 1
fi
