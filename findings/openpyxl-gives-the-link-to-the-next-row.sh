#!/usr/bin/env bash
# After `delete_rows` or `insert_rows`, openpyxl saves each link at the row where the cell was before. So the name of a
# person leads to the profile of another person, although the cells in memory are right.
#
# Expected: a cell that moves takes its link with it, as it takes its value and its style. This is what the cells show
# before `save`: the cell "Bob" has the address of Bob.
#
# Observed: `delete_rows(2)` moves the cell objects, with their `hyperlink`. But the `ref` of the link stays "A3", and
# `save` writes the link there. In the file, "Cem" in row 3 leads to Bob, "Bob" in row 2 has no link, and the empty cell
# below the list leads to Cem. There is no error and no warning. The manual names formulas, tables and charts as examples
# of what these methods do not adapt. For links, the cells in memory show the opposite until the file is read again.
#
# Versions: openpyxl 3.1.5. Seen on 2026-11-30 with Python 3.11:
#
#   in memory: Bob -> https://people.example/bob, Cem -> https://people.example/cem
#   in the file: Bob -> None, Cem -> https://people.example/bob
#
# For you: set `cell.hyperlink.ref = cell.coordinate` for each cell with a link before you save, or write the rows into a
# new sheet. Leadyard reads the links of the file as they are there.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openpyxl==3.1.5 2>/dev/null

"$work/venv/bin/python" -W error - "$work/people.xlsx" <<'PYTHON' | tee "$work/seen"
import sys

import openpyxl


def shown(sheet):
    cells = [cell for (cell,) in sheet.iter_rows() if cell.value in ("Bob", "Cem")]
    return ", ".join(f"{cell.value} -> {cell.hyperlink and cell.hyperlink.target}" for cell in cells)


book = openpyxl.Workbook()
sheet = book.active
sheet.append(["Name"])
for row, name in enumerate(["Ada", "Bob", "Cem"], 2):
    sheet.cell(row, 1, name).hyperlink = f"https://people.example/{name.lower()}"
sheet.delete_rows(2)
print("in memory:", shown(sheet))
book.save(sys.argv[1])
print("in the file:", shown(openpyxl.load_workbook(sys.argv[1]).active))
PYTHON

diff "$work/seen" - <<'EXPECTED'
in memory: Bob -> https://people.example/bob, Cem -> https://people.example/cem
in the file: Bob -> None, Cem -> https://people.example/bob
EXPECTED
