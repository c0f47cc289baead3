"""Workbooks for tests, made part by part, so that a test can also make one that no program writes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xlsxwriter

from leadyard.files.columns import plan_columns
from leadyard.files.random_access import StoredFile
from leadyard.files.table import Row, Table
from leadyard.files.tables import Reading, table_in
from leadyard.people.fields import Profile

WRITTEN = Path(__file__).parent / "workbooks"
"""Workbooks that SheetJS 0.18.5 wrote, see workbooks/README.md."""

_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def table(content: bytes, reading: Reading | None = None) -> Table:
    """Returns the table in a file that arrives as a stream, as an upload in gzip or standard input does."""
    return table_in(io.BytesIO(content), reading or Reading())


def stored(content: bytes, piece_bytes: int = 4_096) -> StoredFile:
    """Returns a file that is stored in small pieces."""

    def piece(number: int) -> bytes | None:
        return content[number * piece_bytes : (number + 1) * piece_bytes] or None

    return StoredFile(piece, size_bytes=len(content), piece_bytes=piece_bytes)


def cells(content: bytes, reading: Reading | None = None) -> list[tuple[str, ...]]:
    return [row.cells for row in table(content, reading) if isinstance(row, Row)]


def people(found: Table) -> list[Profile]:
    plan = plan_columns(found.header, sample=found.sample())
    return [plan.profile(row.cells) for row in found if isinstance(row, Row)]


def written(rows: list[list[Any]], **options: Any) -> bytes:
    """Returns a workbook that XlsxWriter wrote."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_urls": False, **options})
    sheet = book.add_worksheet("People")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return buffer.getvalue()


def archive(parts: Mapping[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Returns a ZIP archive with these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def xlsx(rows: str, *, texts: str | None = None, styles: str | None = None, before: str = "", **parts: str) -> bytes:
    """Returns an Excel workbook whose sheet has this XML inside sheetData."""
    found = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _relations({"a": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets>'
        '<sheet name="People" sheetId="1" r:id="s1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            {
                "s1": ("worksheet", "worksheets/sheet1.xml"),
                "t": ("sharedStrings", "sharedStrings.xml"),
                "y": ("styles", "styles.xml"),
            }
        ),
        "xl/worksheets/sheet1.xml": f'{before}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    if texts is not None:
        found["xl/sharedStrings.xml"] = f'<sst xmlns="{_MAIN}">{texts}</sst>'
    if styles is not None:
        found["xl/styles.xml"] = f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>'
    return archive({**found, **parts})


def ods(tables: str, *, styles: str = "", before: str = "") -> bytes:
    """Returns an OpenDocument spreadsheet with this XML inside office:spreadsheet."""
    names = " ".join(f'xmlns:{name}="{_OFFICE}:{name}:1.0"' for name in ("office", "table", "text", "style", "calcext"))
    content = (
        f"{before}<office:document-content {names}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    return archive({
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet", "META-INF/manifest.xml": "<manifest/>",
        "content.xml": content,
    })  # fmt: skip


def _relations(relations: Mapping[str, tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="{key}" Type="{_RELATION}/{kind}" Target="{target}"/>'
        for key, (kind, target) in relations.items()
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inner}</Relationships>'
    )
