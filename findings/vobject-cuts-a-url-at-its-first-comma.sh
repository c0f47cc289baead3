#!/usr/bin/env bash
# vobject cuts a URL at its first comma, keeps one nickname of several, and deletes the rest when it saves the card.
#
# Expected: the whole value of `URL`, which is a URI and may contain commas without an escape. For `NICKNAME`, which is a
# list, all values, as for `CATEGORIES`.
#
# Observed: vobject splits each property that it has no rules for at its commas, and keeps the first piece. It raises no
# error and logs nothing. In version 2.1, which has no escape for commas, `TITLE:Head, Sales` becomes "Head". If you read
# such a card, change another field and save it, the rest is gone. A URL that vobject wrote itself survives: vobject puts
# a backslash before each comma, and a program that follows the standard takes the backslash as a part of the URL.
#
# Versions: vobject 0.9.9 (PyPI). Seen on 2026-11-30 with Python 3.11:
#
#   3.0 URL: https://people.example/map?at=52.5
#   3.0 NICKNAME: Annie
#   3.0 CATEGORIES: ['vip', 'warm']
#   2.1 TITLE: Head
#   saved again: URL:https://people.example/map?at=52.5
#   written by vobject: URL:https://people.example/map?at=52.5\,13.4
#
# For you: compare `serialize()` with the card before you write an address book back. Leadyard keeps the whole text, and
# removes an escape where there is one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check vobject==0.9.9 2>/dev/null

"$work/venv/bin/python" - <<'PYTHON' | tee "$work/seen"
import vobject

URL = "https://people.example/map?at=52.5,13.4"


def card(version, line):
    text = "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", "N:Berg;Anna;;;", "FN:Anna Berg", line, "END:VCARD", ""])
    return vobject.readOne(text)


def line_of(card, name):
    [line] = [line for line in card.serialize().splitlines() if line.startswith(name)]
    return line


for version, line in [
    ("3.0", f"URL:{URL}"),
    ("3.0", "NICKNAME:Annie,Ann"),
    ("3.0", "CATEGORIES:vip,warm"),
    ("2.1", "TITLE:Head, Sales"),
]:
    name = line.partition(":")[0]
    print(f"{version} {name}: {getattr(card(version, line), name.lower()).value}")
print("saved again:", line_of(card("3.0", f"URL:{URL}"), "URL"))
written = card("3.0", "NOTE:none")
written.add("url").value = URL
print("written by vobject:", line_of(written, "URL"))
PYTHON

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: vobject no longer cuts these values as described."; exit 1; }
3.0 URL: https://people.example/map?at=52.5
3.0 NICKNAME: Annie
3.0 CATEGORIES: ['vip', 'warm']
2.1 TITLE: Head
saved again: URL:https://people.example/map?at=52.5
written by vobject: URL:https://people.example/map?at=52.5\,13.4
EXPECTED
