#!/usr/bin/env bash
# openapi-python-client makes a module that cannot be imported when a request body may have two media types.
#
# Expected: an operation whose body is `application/json` or `application/merge-patch+json`, both with the same schema and
# both required, gets one required parameter `body`, as with one media type.
#
# Observed: the module uses `Unset` in its annotations and does not import it, so importing it raises NameError. The exit
# code of the generator is 0 and it prints no warning. The parameter `body` also becomes optional.
#
# Versions: openapi-python-client 0.29.1 (PyPI). Seen on 2026-11-29 with Python 3.11:
#
#   one: exit code 0, warnings: 0, import: works
#   two: exit code 0, warnings: 0, import: NameError: name 'Unset' is not defined
#
# For you: import every module of a generated client once. Leadyard's document lists `application/json` alone for a
# PATCH, although the service accepts both types.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openapi-python-client==0.29.1 ruff==0.14.5 2>/dev/null

make_client() {
  local name=$1 types=$2 import
  cat >"$work/$name.json" <<JSON
{
  "openapi": "3.1.0",
  "info": {"title": "$name", "version": "1"},
  "paths": {"/notes": {"patch": {
    "operationId": "change",
    "requestBody": {"required": true, "content": {$types}},
    "responses": {"204": {"description": "Changed"}}
  }}},
  "components": {"schemas": {"Change": {"type": "object", "properties": {"text": {"type": "string"}}}}}
}
JSON
  (cd "$work" && PATH="$work/venv/bin:$PATH" openapi-python-client generate --path "$name.json" --meta none \
    --output-path "$name" >"$name.log" 2>&1)
  import=$(cd "$work" && "$work/venv/bin/python" -c "import $name.api.default.change" 2>&1 |
    grep -oE "NameError: name '[A-Za-z]+' is not defined" || true)
  printf '%s: exit code 0, warnings: %s, import: %s\n' "$name" "$(grep -ci warning "$work/$name.log" || true)" \
    "${import:-works}"
}

schema="{\"schema\": {\"\$ref\": \"#/components/schemas/Change\"}}"
seen=$(
  make_client one "\"application/json\": $schema"
  make_client two "\"application/json\": $schema, \"application/merge-patch+json\": $schema"
)
printf '%s\n' "$seen"
if [[ $seen != "one: exit code 0, warnings: 0, import: works
two: exit code 0, warnings: 0, import: NameError: name 'Unset' is not defined" ]]; then
  printf 'CHANGED: openapi-python-client no longer forgets the import as described.\n'
  exit 1
fi
