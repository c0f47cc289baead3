#!/usr/bin/env bash
# calamine drops the tabs and line breaks of an OpenDocument cell, so an address and the word below it become one address.
#
# Expected: a cell with a tab or a line break gives a text with it, or with a space. From an .xlsx file with the same
# cells, calamine gives both.
#
# Observed: OpenDocument has the elements `text:tab` and `text:line-break` for them inside a paragraph. python-calamine
# keeps several spaces (`text:s`) and several paragraphs, and drops these two without an error. The e-mail address gets
# another host, and it is still a valid address. polars reads .ods with calamine too, and pandas does with
# `engine="calamine"`. The default engine of pandas for .ods keeps the line break and drops the tab.
#
# Versions: python-calamine 0.9.1, pandas 3.1.1, odfpy 1.4.1, openpyxl 3.1.5 (PyPI). Seen on 2026-11-30 with Python 3.11:
#
#   .ods, calamine: ada@people.exampleLondon | AdaLovelace
#   .ods, pandas with calamine: ada@people.exampleLondon | AdaLovelace
#   .ods, pandas: ada@people.example\nLondon | AdaLovelace
#   .xlsx, calamine: ada@people.example\nLondon | Ada\tLovelace
#
# For you: have files with several lines in a cell saved as .xlsx. Leadyard keeps both characters while it reads the cell.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check python-calamine==0.9.1 pandas==3.1.1 odfpy==1.4.1 \
  openpyxl==3.1.5 2>/dev/null

"$work/venv/bin/python" -W error - "$work" <<'PYTHON' | tee "$work/seen"
import sys
from pathlib import Path

import openpyxl
import pandas
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.teletype import addTextToElement
from odf.text import P
from python_calamine import CalamineWorkbook

CELLS = ["ada@people.example\nLondon", "Ada\tLovelace"]
ods, xlsx = (Path(sys.argv[1]) / name for name in ("people.ods", "people.xlsx"))

book, table, row = OpenDocumentSpreadsheet(), Table(name="People"), TableRow()
for text in CELLS:
    cell, paragraph = TableCell(valuetype="string"), P()
    addTextToElement(paragraph, text)
    cell.addElement(paragraph)
    row.addElement(cell)
table.addElement(row)
book.spreadsheet.addElement(table)
book.save(ods)

workbook = openpyxl.Workbook()
workbook.active.append(CELLS)
workbook.save(xlsx)


def show(what, cells):
    print(f"{what}: {' | '.join(cells)}".replace("\t", "\\t").replace("\n", "\\n"))


def with_calamine(path):
    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()[0]


def with_pandas(path, engine=None):
    return pandas.read_excel(path, header=None, engine=engine).iloc[0]


show(".ods, calamine", with_calamine(ods))
show(".ods, pandas with calamine", with_pandas(ods, "calamine"))
show(".ods, pandas", with_pandas(ods))
show(".xlsx, calamine", with_calamine(xlsx))
PYTHON

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: these cells are no longer read as described."; exit 1; }
.ods, calamine: ada@people.exampleLondon | AdaLovelace
.ods, pandas with calamine: ada@people.exampleLondon | AdaLovelace
.ods, pandas: ada@people.example\nLondon | AdaLovelace
.xlsx, calamine: ada@people.example\nLondon | Ada\tLovelace
EXPECTED
