#!/usr/bin/env bash
# openapi-python-client drops a schema whose `oneOf` only lists `required` fields, and does not warn.
#
# Expected: a schema that describes "exactly one of these two fields" (`oneOf: [{required: [id]}, {required: [name]}]`
# beside `properties`) becomes a class, because its properties are there. The generator prints a warning for schemas that
# it cannot handle, so you expect at least that.
#
# Observed: no class, no warning, exit code 0. A field of this type becomes `Any`. Where the schema is a member of a
# union in a request body, it disappears from the union, so a typed client cannot send it.
# `minProperties: 1, maxProperties: 1` describes the same values, and the generator makes the class.
#
# Versions: openapi-python-client 0.29.1 (PyPI). Seen on 2026-11-29 with Python 3.11:
#
#   one_of: exit code 0, warnings: 0, models: start.py, type of the field: Any
#   counted: exit code 0, warnings: 0, models: start.py target.py, type of the field: Target
#
# For you: a document that passes every linter may still lose a class. Compare the list of generated models with your
# schemas. Leadyard's document uses `minProperties` and `maxProperties` for such a choice.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openapi-python-client==0.29.1 ruff==0.14.5 2>/dev/null

make_client() {
  local name=$1 rule=$2
  cat >"$work/$name.json" <<JSON
{
  "openapi": "3.1.0",
  "info": {"title": "$name", "version": "1"},
  "paths": {"/starts": {"post": {
    "operationId": "start",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"\$ref": "#/components/schemas/Start"}}}},
    "responses": {"204": {"description": "Started"}}
  }}},
  "components": {"schemas": {
    "Start": {"type": "object", "required": ["target"], "properties": {"target": {"\$ref": "#/components/schemas/Target"}}},
    "Target": {
      "type": "object",
      "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
      $rule
    }
  }}
}
JSON
  (cd "$work" && PATH="$work/venv/bin:$PATH" openapi-python-client generate --path "$name.json" --meta none \
    --output-path "$name" >"$name.log" 2>&1)
  printf '%s: exit code %s, warnings: %s, models: %s, type of the field: %s\n' "$name" "$?" \
    "$(grep -ci warning "$work/$name.log" || true)" \
    "$(cd "$work/$name/models" && find . -name '*.py' ! -name '__init__.py' -printf '%f ' | tr ' ' '\n' | sort | xargs)" \
    "$(grep -m1 -oE '^    target: .*' "$work/$name/models/start.py" | cut -d: -f2- | xargs)"
}

seen=$(
  make_client one_of '"oneOf": [{"required": ["id"]}, {"required": ["name"]}]'
  make_client counted '"minProperties": 1, "maxProperties": 1'
)
printf '%s\n' "$seen"
if [[ $seen != "one_of: exit code 0, warnings: 0, models: start.py, type of the field: Any
counted: exit code 0, warnings: 0, models: start.py target.py, type of the field: Target" ]]; then
  printf 'CHANGED: openapi-python-client no longer drops the schema as described.\n'
  exit 1
fi
