#!/usr/bin/env bash
# phonenumbers turns a word after a phone number into digits, and calls the result a valid number.
#
# Expected: exports of contacts hold cells such as `+49 30 23125123 work`. You expect the number without the word, or an
# error.
#
# Observed: three letters or more make the parser treat the cell as a "vanity" number, as in 1-800-FLOWERS. It then
# translates every letter by the keypad of a telephone: `work` becomes 9675. In the United States the result is too long,
# so `is_valid_number` returns False. In countries whose numbers vary in length (Germany, Austria) the result is a VALID
# number that belongs to a stranger. libphonenumber-js, the usual port for web pages, drops the word. So a form and a
# server that use the two libraries store different numbers for the same cell.
#
# Versions: phonenumbers 9.0.43 (PyPI), libphonenumber-js 1.13.16 (npm). Seen on 2026-11-29 with Python 3.11 and Node 20:
#
#   +49 30 23125123 work       phonenumbers +4930231251239675 valid=True  libphonenumber-js +493023125123 valid=True
#   +49 30 23125 mobil         phonenumbers +49302312566245 valid=True  libphonenumber-js +493023125 valid=True
#   +43 1 234567 (office)      phonenumbers +431234567633423 valid=True  libphonenumber-js +431234567 valid=True
#   +1 415 555 0132 (mobile)   phonenumbers +14155550132662453 valid=False  libphonenumber-js +14155550132 valid=True
#   PhoneNumberMatcher: ['+493023125123', '+493023125', '+431234567', '+14155550132']
#
# For you: cut the words off before you parse, or parse with `PhoneNumberMatcher`, which this script shows too. Leadyard
# stores the text of `phone` as you sent it, and does not parse it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.43 2>/dev/null
npm install --silent --no-audit --no-fund --prefix "$work" libphonenumber-js@1.13.16

cat >"$work/cells.json" <<'JSON'
["+49 30 23125123 work", "+49 30 23125 mobil", "+43 1 234567 (office)", "+1 415 555 0132 (mobile)"]
JSON
cat >"$work/parse.js" <<'JS'
const { parsePhoneNumberFromString } = require("libphonenumber-js");
const cells = require("./cells.json").map((cell) => parsePhoneNumberFromString(cell));
console.log(JSON.stringify(cells.map((phone) => [phone.number, phone.isValid()])));
JS
node "$work/parse.js" >"$work/javascript.json"

"$work/venv/bin/python" - "$work" <<'PYTHON'
import json, sys
from pathlib import Path

import phonenumbers as p

work = Path(sys.argv[1])
cells = json.loads((work / "cells.json").read_text())
python = [(p.format_number(x, p.PhoneNumberFormat.E164), p.is_valid_number(x)) for x in (p.parse(cell) for cell in cells)]
matched = [p.format_number(m.number, p.PhoneNumberFormat.E164) for cell in cells for m in p.PhoneNumberMatcher(cell, None)]
javascript = [tuple(pair) for pair in json.loads((work / "javascript.json").read_text())]
for cell, ours, theirs in zip(cells, python, javascript):
    print(f"{cell:25}  phonenumbers {ours[0]} valid={ours[1]}  libphonenumber-js {theirs[0]} valid={theirs[1]}")
print("PhoneNumberMatcher:", matched)
as_described = python == [
    ("+4930231251239675", True),
    ("+49302312566245", True),
    ("+431234567633423", True),
    ("+14155550132662453", False),
] and javascript == [("+493023125123", True), ("+493023125", True), ("+431234567", True), ("+14155550132", True)]
if not as_described:
    print("CHANGED: the two libraries no longer read these cells as described.")
    raise SystemExit(1)
PYTHON
