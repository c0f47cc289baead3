#!/usr/bin/env bash
# Importing odfpy hides a package of yours that has no __init__.py and is named like one of odfpy's files.
#
# Expected: `import odf.opendocument` makes the package `odf` available, and nothing else changes.
#
# Observed: several files of odfpy append the folder of the package to `sys.path` when they are imported. From then on
# its files are top-level modules: `script`, `table`, `text`, `form`, `style`, `config` and others. Python prefers a
# module anywhere on the path to a folder without __init__.py, also if the folder comes first. So `import script.tool`
# works before the import of odfpy and fails after it, with "'script' is not a package". A package that has __init__.py
# is not affected.
#
# Versions: odfpy 1.4.1. Seen on 2026-11-30 with Python 3.11:
#
#   before: script.tool says hello
#   after:  ModuleNotFoundError: No module named 'script.tool'; 'script' is not a package
#   added to sys.path: odf (6 times)
#
# For you: after the import, take these entries from `sys.path` again. Leadyard's tests do that where they write .ods files.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check odfpy==1.4.1 2>/dev/null
mkdir -p "$work/project/script"
echo 'WORDS = "hello"' > "$work/project/script/tool.py"

cd "$work/project"
"$work/venv/bin/python" - <<'PYTHON' | tee "$work/seen"
import importlib
import sys

import script.tool

print("before: script.tool says", script.tool.WORDS)
for name in ("script.tool", "script"):
    del sys.modules[name]
path_before = list(sys.path)
import odf.opendocument

try:
    importlib.import_module("script.tool")
    print("after:  script.tool is found")
except ModuleNotFoundError as error:
    print(f"after:  {type(error).__name__}: {error}")
added = sys.path[len(path_before):]
print("added to sys.path:", added[0].rsplit("/", 1)[-1], f"({len(added)} times)")
PYTHON

diff "$work/seen" - <<'EXPECTED'
before: script.tool says hello
after:  ModuleNotFoundError: No module named 'script.tool'; 'script' is not a package
added to sys.path: odf (6 times)
EXPECTED
