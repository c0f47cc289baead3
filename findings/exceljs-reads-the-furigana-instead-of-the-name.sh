#!/usr/bin/env bash
# The streaming reader of exceljs returns the phonetic guide of a Japanese name instead of the name.
#
# Expected: Excel keeps the furigana of a typed Japanese name beside the text (`rPh` in the shared strings), so that it
# can sort and print it. It is no part of the value. `Workbook.xlsx.readFile` leaves it out, and you expect the same of
# `stream.xlsx.WorkbookReader`, which exceljs offers for big files.
#
# Observed: the streaming reader returns the last piece of the guide as the value of the cell. The name 佐藤愛 (Sato Ai)
# becomes アイ (Ai, in other letters), and the name itself is gone. There is no error. A cell without a guide is right.
#
# Versions: exceljs 4.4.0 (npm). Seen on 2026-11-30 with Node 20:
#
#   readFile: name, 佐藤愛, Ada Lovelace
#   WorkbookReader: name, アイ, Ada Lovelace
#
# For you: read workbooks from Japan with `readFile`. Leadyard leaves the guides out.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" exceljs@4.4.0

# The parts of a workbook with a phonetic guide, written by hand, because exceljs writes none.
python3 - "$work/people.xlsx" <<'PYTHON'
import sys
import zipfile

main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
document = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
package = "http://schemas.openxmlformats.org/package/2006"
sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def relations(*kinds_and_targets):
    links = [
        f'<Relationship Id="rId{number}" Type="{document}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(kinds_and_targets, 1)
    ]
    return f'<Relationships xmlns="{package}/relationships">{"".join(links)}</Relationships>'


def override(part, kind):
    return f'<Override PartName="/xl/{part}.xml" ContentType="{sheet_type}.{kind}+xml"/>'


name = (
    '<si><t>佐藤愛</t><rPh sb="0" eb="2"><t>サトウ</t></rPh><rPh sb="2" eb="3"><t>アイ</t></rPh>'
    '<phoneticPr fontId="1"/></si>'
)
rows = "".join(f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{n}</v></c></row>' for n in range(3))
parts = {
    "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    + override("workbook", "sheet.main")
    + override("worksheets/sheet1", "worksheet")
    + override("sharedStrings", "sharedStrings")
    + "</Types>",
    "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
    "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{document}"><sheets>'
    '<sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": relations(
        ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")
    ),
    "xl/sharedStrings.xml": f'<sst xmlns="{main}"><si><t>name</t></si>{name}<si><t>Ada Lovelace</t></si></sst>',
    "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
}
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for path, text in parts.items():
        archive.writestr(path, text)
PYTHON

cat >"$work/read.js" <<'JS'
const { Workbook, stream } = require("exceljs");

const path = process.argv[2];
(async () => {
  const book = new Workbook();
  await book.xlsx.readFile(path);
  const whole = [];
  book.worksheets[0].eachRow((row) => whole.push(row.getCell(1).value));
  console.log("readFile:", whole.join(", "));

  const streamed = [];
  for await (const sheet of new stream.xlsx.WorkbookReader(path)) {
    for await (const row of sheet) streamed.push(row.getCell(1).value);
  }
  console.log("WorkbookReader:", streamed.join(", "));
})();
JS
node "$work/read.js" "$work/people.xlsx" | tee "$work/seen"

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: exceljs no longer reads the name as described."; exit 1; }
readFile: name, 佐藤愛, Ada Lovelace
WorkbookReader: name, アイ, Ada Lovelace
EXPECTED
