#!/usr/bin/env bash
# tablib reads an OpenDocument file with cells in other columns, with the comment of a cell as its value, and rounded.
#
# Expected: the values of the sheet, each in its column. OpenDocument writes equal neighbours once, with a number of
# repetitions, and LibreOffice does so for empty cells and for equal ones. A number has its value in `office:value`; its text
# is only what the reader sees. A comment belongs to a cell and is no part of the value.
#
# Observed: `Dataset.load` takes a repeated cell once and leaves out repeated empty cells, so everything behind them moves to
# the left: the e-mail address of Bob is under "city". The address of Cem is the text of the comment on it. And 1234.5
# that the sheet shows as "1.235" becomes 1.235. There is no error and no warning; short rows are filled at their end.
#
# Versions: tablib 3.10.0, odfpy 1.4.1 (PyPI). Seen on 2026-11-30 with Python 3.11:
#
#   in the sheet: Ada, Quebec, Quebec, ada@people.example, 80.0
#   from tablib:  Ada, Quebec, ada@people.example, 80.0, (empty)
#   in the sheet: Bob, (empty), (empty), bob@people.example, 80.0
#   from tablib:  Bob, bob@people.example, 80.0, (empty), (empty)
#   in the sheet: Cem, Bursa, Turkey, cem@people.example, 1234.5
#   from tablib:  Cem, Bursa, Turkey, left in May, 1.235
#
# For you: read such files with python-calamine, or have them saved as .xlsx. Leadyard repeats the cells, leaves comments out
# and reads the values of numbers.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'tablib[ods]==3.10.0' odfpy==1.4.1 python-calamine==0.9.1 \
  2>/dev/null

"$work/venv/bin/python" -W error - "$work/people.ods" <<'PYTHON' | tee "$work/seen"
import sys

import tablib
from odf.office import Annotation
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from python_calamine import CalamineWorkbook


def text(shown, comment=None, **attributes):
    cell = TableCell(valuetype="string", **attributes)
    if comment:
        cell.addElement(Annotation())
        cell.childNodes[0].addElement(P(text=comment))
    cell.addElement(P(text=shown))
    return cell


def number(value, shown):
    cell = TableCell(valuetype="float", value=value)
    cell.addElement(P(text=shown))
    return cell


def address(name, comment=None):
    return text(f"{name}@people.example", comment)


rows = [
    [text(name) for name in ("name", "city", "region", "email", "revenue")],
    [text("Ada"), text("Quebec", numbercolumnsrepeated=2), address("ada"), number(80, "80")],
    [text("Bob"), TableCell(numbercolumnsrepeated=2), address("bob"), number(80, "80")],
    [text("Cem"), text("Bursa"), text("Turkey"), address("cem", comment="left in May"), number(1234.5, "1.235")],
]
book, table = OpenDocumentSpreadsheet(), Table(name="People")
for cells in rows:
    row = TableRow()
    for cell in cells:
        row.addElement(cell)
    table.addElement(row)
book.spreadsheet.addElement(table)
book.save(sys.argv[1])

in_sheet = CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).to_python()[1:]
with open(sys.argv[1], "rb") as file:
    from_tablib = tablib.Dataset().load(file.read(), format="ods")
for right, wrong in zip(in_sheet, from_tablib):
    print("in the sheet:", ", ".join(str(cell) or "(empty)" for cell in right))
    print("from tablib: ", ", ".join(str(cell) or "(empty)" for cell in wrong))
PYTHON

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: tablib no longer reads this sheet as described."; exit 1; }
in the sheet: Ada, Quebec, Quebec, ada@people.example, 80.0
from tablib:  Ada, Quebec, ada@people.example, 80.0, (empty)
in the sheet: Bob, (empty), (empty), bob@people.example, 80.0
from tablib:  Bob, bob@people.example, 80.0, (empty), (empty)
in the sheet: Cem, Bursa, Turkey, cem@people.example, 1234.5
from tablib:  Cem, Bursa, Turkey, left in May, 1.235
EXPECTED
