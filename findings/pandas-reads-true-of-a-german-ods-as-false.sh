#!/usr/bin/env bash
# pandas reads TRUE in an OpenDocument file as False, unless the file was saved in English.
#
# Expected: a cell of the type boolean holds its value in the attribute `office:boolean-value`, and its text is only what
# the reader sees: TRUE, WAHR, VRAI, VERO. So `read_excel` returns True for each of them.
#
# Observed: the default engine for .ods compares the text of the cell with "TRUE" and ignores the value. A file that was
# saved in German or French has only False, without an error or a warning. A column such as "unsubscribed" then says that
# you may write to all of these people. With `engine="calamine"`, pandas reads the values.
#
# Versions: pandas 3.1.1, odfpy 1.4.1, python-calamine 0.9.1 (PyPI). Seen on 2026-11-30 with Python 3.11:
#
#   saved as TRUE: pandas True, with calamine True
#   saved as WAHR: pandas False, with calamine True
#   saved as VRAI: pandas False, with calamine True
#
# For you: read .ods files with `engine="calamine"`. Leadyard reads the value of such a cell.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 odfpy==1.4.1 python-calamine==0.9.1 2>/dev/null

"$work/venv/bin/python" -W error - "$work/people.ods" <<'PYTHON' | tee "$work/seen"
import sys

import pandas
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

SHOWN = ["TRUE", "WAHR", "VRAI"]


def row(*cells):
    made = TableRow()
    for cell in cells:
        made.addElement(cell)
    return made


def text(shown):
    cell = TableCell(valuetype="string")
    cell.addElement(P(text=shown))
    return cell


def true(shown):
    cell = TableCell(valuetype="boolean", booleanvalue="true")
    cell.addElement(P(text=shown))
    return cell


book = OpenDocumentSpreadsheet()
table = Table(name="People")
table.addElement(row(text("saved"), text("unsubscribed")))
for shown in SHOWN:
    table.addElement(row(text(f"saved as {shown}"), true(shown)))
book.spreadsheet.addElement(table)
book.save(sys.argv[1])

by_default, by_calamine = pandas.read_excel(sys.argv[1]), pandas.read_excel(sys.argv[1], engine="calamine")
for name, first, second in zip(by_default.saved, by_default.unsubscribed, by_calamine.unsubscribed):
    print(f"{name}: pandas {first}, with calamine {second}")
PYTHON

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: pandas no longer reads these cells as described."; exit 1; }
saved as TRUE: pandas True, with calamine True
saved as WAHR: pandas False, with calamine True
saved as VRAI: pandas False, with calamine True
EXPECTED
