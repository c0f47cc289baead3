"""Writes a table as a file: CSV in many forms, and workbooks by five libraries."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl
import pyexcelerate
import xlsxwriter
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

# odfpy puts its own folder on the path, and its module `script` would then hide our folder of that name.
sys.path[:] = [each for each in sys.path if not each.endswith("/odf")]

Rows = Sequence[Sequence[str]]


def csv_bytes(rows: Rows, *, above: Sequence[str] = (), below: Sequence[str] = (), **options: Any) -> bytes:
    """Returns the rows as CSV, with lines above and below as they are."""
    encoding = options.pop("encoding", "utf-8")
    start = options.pop("start", "")
    end = options.setdefault("lineterminator", "\r\n")
    buffer = io.StringIO(newline="")
    csv.writer(buffer, **options).writerows(rows)
    text = start + "".join(line + end for line in above) + buffer.getvalue() + "".join(line + end for line in below)
    content: bytes = text.encode(str(encoding))
    return content


def _wrapped(rows: Rows, **rest: Any) -> bytes:
    """Returns CSV in which each line is a single quoted cell, as Excel saves a file that it has not split."""
    lines = csv_bytes([[cell.replace("\n", " ") for cell in row] for row in rows], lineterminator="\n", **rest).decode()
    return "".join('"' + line.replace('"', '""') + '"\n' for line in lines.splitlines()).encode()


CSV_FORMS: Mapping[str, tuple[str | None, Callable[..., bytes]]] = {
    "utf8": (None, csv_bytes),
    "bom-semicolon": (None, lambda rows, **rest: csv_bytes(rows, delimiter=";", encoding="utf-8-sig", **rest)),
    "utf16-tab": (None, lambda rows, **rest: csv_bytes(rows, delimiter="\t", encoding="utf-16", **rest)),
    "utf16be-semicolon": (
        None, lambda rows, **rest: csv_bytes(rows, delimiter=";", encoding="utf-16-be", start="\ufeff", **rest)
    ),
    "pipe": (None, lambda rows, **rest: csv_bytes(rows, delimiter="|", **rest)),
    "all-quoted": (None, lambda rows, **rest: csv_bytes(rows, quoting=csv.QUOTE_ALL, lineterminator="\n", **rest)),
    "sep-line": (None, lambda rows, **rest: csv_bytes(rows, delimiter=";", start="sep=;\r\n", **rest)),
    "cp1252": ("cp1252", lambda rows, **rest: csv_bytes(rows, delimiter=";", encoding="cp1252", **rest)),
    "latin9": ("iso-8859-15", lambda rows, **rest: csv_bytes(rows, encoding="iso-8859-15", **rest)),
    "mac-lines": (None, lambda rows, **rest: csv_bytes(rows, lineterminator="\r", **rest)),
    "tab": (None, lambda rows, **rest: csv_bytes(rows, delimiter="\t", lineterminator="\n", **rest)),
    "wrapped": (None, _wrapped),
}  # fmt: skip
"""Name → the encoding that the user has to name, if any, and the writer."""


def _value(cell: str) -> Any:
    """Returns a number for a cell of digits, as a spreadsheet has it. A phone then has to keep all of them."""
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 15 and cell[0] != "0" else cell or None


def by_openpyxl(rows: Rows) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active["A1"] = "Exported for the fair"
    sheet = book.create_sheet("Contacts")
    for row in rows:
        sheet.append([_value(cell) for cell in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def by_xlsxwriter(rows: Rows) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_urls": False})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("Contacts")
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell:
                sheet.write(number, column, _value(cell) if number else cell, None if number else bold)
    book.close()
    return buffer.getvalue()


def by_pyexcelerate(rows: Rows) -> bytes:
    buffer = io.BytesIO()
    book = pyexcelerate.Workbook()
    book.new_sheet("Contacts", data=[[_value(cell) if cell else "" for cell in row] for row in rows])
    book.save(buffer)
    return buffer.getvalue()


def by_xlwt(rows: Rows) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Contacts")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell:
                sheet.write(number, column, _value(cell))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def by_odfpy(rows: Rows) -> bytes:
    document = OpenDocumentSpreadsheet()
    table = Table(name="Contacts")
    for row in rows:
        line = TableRow()
        for cell in row:
            value = _value(cell)
            kind = {"valuetype": "float", "value": value} if isinstance(value, int) else {"valuetype": "string"}
            there = TableCell(**kind) if cell else TableCell()
            for paragraph in cell.split("\n") if cell else ():
                there.addElement(P(text=paragraph))
            line.addElement(there)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    buffer = io.BytesIO()
    document.write(buffer)
    return buffer.getvalue()


BOOK_WRITERS: Mapping[str, tuple[str, Callable[[Rows], bytes]]] = {
    "openpyxl": ("xlsx", by_openpyxl),
    "xlsxwriter": ("xlsx", by_xlsxwriter),
    "pyexcelerate": ("xlsx", by_pyexcelerate),
    "xlwt": ("xls", by_xlwt),
    "odfpy": ("ods", by_odfpy),
}
"""Name → the ending of its files, and the writer."""
