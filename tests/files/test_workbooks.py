"""Workbooks of Excel and OpenDocument: every cell as its owner sees it, in the right sheet."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO, cast

import openpyxl
import pytest
import xlsxwriter

from leadyard.errors import UnknownColumn, UnreadableFile
from leadyard.files.row_batches import row_batches
from leadyard.files.table import BadRow, Row
from leadyard.files.tables import Reading, open_table, table_in
from leadyard.files.upload_stream import UploadStream
from tests.files.books import WRITTEN, cells, ods, people, stored, table, written, xlsx

HEADER = ["First Name", "Last Name", "Email", "Phone"]
ADA = ["Ada", "Lovelace", "ada@x.org", "+44 20 7946 0018"]


@pytest.mark.parametrize("kind", ["xlsx", "xlsb", "xls", "ods"])
def test_the_same_sheet_in_every_format(kind: str) -> None:
    with open_table(WRITTEN / f"people.{kind}", Reading(sheet="People")) as found:
        assert (found.format, found.sheet, found.header_line) == (kind, "People", 3)
        zoe, lukasz = people(found)
    assert (zoe.first_name, zoe.last_name) == ("Zoë", "O'Neil")
    assert (zoe.email, zoe.phone) == ("zoe@w1.example", "4915112345678")
    custom = dict(zoe.custom_fields)
    if kind == "ods":
        # SheetJS leaves the number format out of this format.
        custom["Zip"] = custom["Zip"].zfill(5)
    assert custom.pop("Note") == "line one\nline two"
    assert custom.pop("Active") in {"TRUE", "true"}
    assert custom == {
        "Zip": "01234", "Record Id": "315207900000", "Born": "1990-02-03", "Seen": "2026-03-01T10:30:00",
        "Score": "0.3",
    }  # fmt: skip
    assert lukasz.last_name == "王"
    assert lukasz.phone == "+48 22 555 0101"
    assert {"Zip": "80331", "Score": "7", "Lookup": "12"}.items() <= lukasz.custom_fields.items()


@pytest.mark.parametrize("kind", ["xlsx", "xlsb", "xls"])
def test_the_first_visible_sheet_with_people_is_read(kind: str) -> None:
    with open_table(WRITTEN / f"people.{kind}") as found:
        assert found.sheet == "People"
    with open_table(WRITTEN / f"people.{kind}", Reading(sheet=" hidden ")) as found:
        assert [person.email for person in people(found)] == ["hid@w1.example"]
    with (
        pytest.raises(UnknownColumn, match="no sheet 'Leads'") as caught,
        open_table(WRITTEN / f"people.{kind}", Reading(sheet="Leads")),
    ):
        pass
    assert "Cover, Hidden, People" in caught.value.details


def test_excel_95_is_refused_with_a_remedy() -> None:
    with pytest.raises(UnreadableFile, match=r"save it as \.xlsx"), open_table(WRITTEN / "people.95.xls"):
        pass


@pytest.mark.parametrize("writer", ["xlsxwriter", "xlsxwriter, inline", "openpyxl"])
def test_three_ways_to_write_a_workbook(writer: str) -> None:
    rows: list[list[Any]] = [HEADER, ADA, ["Zoë", "von\nNeumann", "zoe@x.org", 4915112345678]]
    if writer == "openpyxl":
        book, buffer = openpyxl.Workbook(), io.BytesIO()
        for row in rows:
            book.active.append(row)
        book.save(buffer)
        content = buffer.getvalue()
    else:
        content = written(rows, constant_memory="inline" in writer)
    assert cells(content) == [tuple(ADA), ("Zoë", "von\nNeumann", "zoe@x.org", "4915112345678")]


def test_ids_and_phones_keep_every_digit() -> None:
    numbers = [
        "3152079000000153079",
        "4.915112345678E12",
        "4915112345678",
        "12345678901234567890123",
        "1E3",
        "-901",
        "7.0",
    ]
    row = "".join(f'<c r="{chr(65 + n)}2"><v>{number}</v></c>' for n, number in enumerate(numbers))
    names = "".join(f'<c r="{chr(65 + n)}1" t="inlineStr"><is><t>n{n}</t></is></c>' for n in range(len(numbers)))
    assert cells(xlsx(f'<row r="1">{names}</row><row r="2">{row}</row>')) == [
        ("3152079000000153079", "4915112345678", "4915112345678", "12345678901234567890123", "1000", "-901", "7")
    ]


def test_cells_are_read_as_they_are_shown() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet()
    looks = {
        "Day": (date(2026, 3, 1), "dd/mm/yyyy"), "Moment": (datetime(2026, 3, 1, 10, 30), "m/d/yy h:mm"),
        "Clock": (time(8, 5), "hh:mm AM/PM"), "Long": (1.5, "[h]:mm"), "Zip": (1234, "00000"), "Phone": (49151, '"+"0'),
        "Share": (0.25, "0%"), "Money": (1234.5, '#,##0.00 "days"'), "Month": (date(2026, 3, 1), "mmm yy"),
        "Text": ("007", "@"), "Red": (5, "[Red]0"), "Colour of day": (5, '0 "d"'),
    }  # fmt: skip
    for column, (name, (value, code)) in enumerate(looks.items()):
        sheet.write(0, column, name)
        sheet.write(1, column, value, book.add_format({"num_format": code}))
    book.close()
    assert dict(zip(looks, cells(buffer.getvalue())[0], strict=True)) == {
        "Day": "2026-03-01", "Moment": "2026-03-01T10:30:00", "Clock": "08:05:00", "Long": "36:00:00", "Zip": "01234",
        "Phone": "+49151", "Share": "0.25", "Money": "1234.5", "Month": "2026-03-01", "Text": "007", "Red": "5",
        "Colour of day": "5",
    }  # fmt: skip


def test_dates_of_both_epochs() -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    days = [1, 59, 61, 36526]
    rows = '<row><c t="inlineStr"><is><t>Day</t></is></c></row>' + "".join(
        f'<row><c s="1"><v>{day}</v></c></row>' for day in days
    )
    assert cells(xlsx(rows, styles=styles)) == [("1900-01-01",), ("1900-02-28",), ("1900-03-01",), ("2000-01-01",)]
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "date_1904": True})
    sheet = book.add_worksheet()
    sheet.write(0, 0, "Day")
    sheet.write_datetime(1, 0, datetime(2026, 3, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
    book.close()
    assert cells(buffer.getvalue()) == [("2026-03-01",)]


def test_formulas_errors_truth_and_escapes() -> None:
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c><c r="B1" t="s"><v>0</v></c></row>'
        '<row r="2"><c r="A2" t="str"><f>A1&amp;"x"</f><v>Namex</v></c><c r="B2"><f>1+1</f><v>2</v></c></row>'
        '<row r="3"><c r="A3" t="e"><v>#N/A</v></c><c r="B3" t="b"><v>1</v></c></row>'
        '<row r="4"><c r="A4" t="s"><v>1</v></c><c r="B4"><f>[1]Other!A1</f></c></row>'
        '<row r="5"><c r="A5" t="s"><v>2</v></c></row>'
        '<row r="9"/><row r="12"><c t="inlineStr"><is><t>last</t></is></c><c s="7"/></row>'
    )
    texts = (
        "<si><t>Score</t></si><si><r><t>a_x000D_</t></r><r><rPr><b/></rPr><t>b_xD83D__xDE00_</t></r></si>"
        '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></si>'
    )
    found = table(xlsx(rows, texts=texts))
    assert [(row.line_number, row.cells) for row in found if isinstance(row, Row)] == [
        (2, ("Namex", "2")), (3, ("", "TRUE")), (4, ("a\rb😀", "")), (5, ("東京", "")), (12, ("last", "")),
    ]  # fmt: skip


def test_prefixes_and_rooted_targets_of_other_writers() -> None:
    content = xlsx("")
    parts = {
        info.filename: zipfile.ZipFile(io.BytesIO(content)).read(info)
        for info in zipfile.ZipFile(io.BytesIO(content)).infolist()
    }
    parts["xl/worksheets/sheet1.xml"] = (
        b'<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
        b'<x:row><x:c t="inlineStr"><x:is><x:t>Email</x:t></x:is></x:c></x:row>'
        b'<x:row><x:c t="str"><x:v>a@x.org</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(
        b'"worksheets/', b'"/xl/worksheets/'
    )
    from tests.files.books import archive

    assert cells(archive(parts)) == [("a@x.org",)]


def test_open_documents() -> None:
    def cell(kind: str, value: str, shown: str, more: str = "") -> str:
        return (
            f'<table:table-cell office:value-type="{kind}" {value} {more}><text:p>{shown}</text:p></table:table-cell>'
        )

    row = "<table:table-row {}>{}</table:table-row>"
    names = row.format(
        "", "".join(cell("string", "", name) for name in ("Name", "Zip", "Day", "Time", "Score", "Note"))
    )
    ada = row.format(
        'table:number-rows-repeated="2"',
        cell("string", "", 'Ada<text:s text:c="2"/>L<text:line-break/>x')
        + cell("float", 'office:value="1234"', "01234")
        + cell("date", 'office:date-value="2026-03-01"', "01.03.26")
        + cell("time", 'office:time-value="PT08H05M00S"', "08:05")
        + cell("string", 'calcext:value-type="error"', "#N/A")
        + '<table:table-cell office:value-type="string"><office:annotation><text:p>comment</text:p></office:annotation>'
        "<text:p>one</text:p><text:p>two</text:p></table:table-cell>"
        + '<table:table-cell table:number-columns-repeated="16378"/>',
    )
    blank = row.format('table:number-rows-repeated="1000"', '<table:table-cell table:number-columns-repeated="16384"/>')
    bob = row.format("", cell("string", "", "Bob") + "<table:covered-table-cell/>")
    hidden = f'<table:table table:name="Old" table:style-name="ta2">{names}{bob}</table:table>'
    styles = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    content = ods(f'{hidden}<table:table table:name="New">{names}{ada}{blank}{bob}{blank}</table:table>', styles=styles)
    found = table(content)
    assert (found.format, found.sheet) == ("ods", "New")
    line = ("Ada  L\nx", "01234", "2026-03-01", "08:05:00", "", "one\ntwo")
    assert list(found) == [Row(2, line), Row(3, line), Row(1004, ("Bob", "", "", "", "", ""))]
    assert cells(content, Reading(sheet="Old")) == [("Bob", "", "", "", "", "")]


def test_an_open_document_has_its_values_whatever_it_shows_in_another_language() -> None:
    def cell(kind: str, value: str, shown: str) -> str:
        return f'<table:table-cell office:value-type="{kind}" {value}><text:p>{shown}</text:p></table:table-cell>'

    def row(*parts: str) -> str:
        return f"<table:table-row>{''.join(parts)}</table:table-row>"

    true, false = (f'office:boolean-value="{value}"' for value in ("true", "false"))
    content = ods(
        '<table:table table:name="People">'
        + row(*(cell("string", "", name) for name in ("Name", "City", "Region", "Email", "Revenue", "Opt-out")))
        + row(
            cell("string", "", "Ada<text:tab/>Lovelace"),
            cell("string", 'table:number-columns-repeated="2"', "Quebec"),
            cell("string", "", "ada@x.org<text:line-break/>London"),
            cell("float", 'office:value="1234.5"', "1.235"),
            cell("boolean", true, "WAHR"),
        )
        + row(
            cell("string", "", "Bob"),
            '<table:table-cell table:number-columns-repeated="2"/>',
            cell("string", "", "bob@x.org"),
            cell("percentage", 'office:value="0.25"', "25 %"),
            cell("boolean", false, "FALSO"),
        )
        + "</table:table>"
    )
    assert cells(content) == [
        ("Ada\tLovelace", "Quebec", "Quebec", "ada@x.org\nLondon", "1234.5", "TRUE"),
        ("Bob", "", "", "bob@x.org", "0.25", "FALSE"),
    ]


def test_a_list_without_a_header_and_a_repeated_header_in_a_sheet() -> None:
    assert people(table(written([["ada@x.org", "Ada"], ["bob@x.org", "Bob"]])))[1].email == "bob@x.org"
    rows = [["All leads"], [], HEADER, ADA, HEADER, ADA, ["Confidential"]]
    found = table(written(rows))
    assert found.header_line == 3
    assert [row.line_number for row in found if isinstance(row, Row)] == [4, 6]


def test_cells_beside_the_header_are_columns_and_later_ones_are_reported() -> None:
    rows = [
        ["Email"],
        ["ada@x.org", "", "extra"],
        *[[f"p{n}@x.org"] for n in range(200)],
        ["bob@x.org", "", "", "late"],
    ]
    found = table(written(rows))
    assert found.header == ("Email", "", "")
    assert people(table(written(rows)))[0].custom_fields == {"Column 3": "extra"}
    last = list(found)[-1]
    assert isinstance(last, BadRow)
    assert (last.code, last.line_number, last.cells[-1]) == ("TOO_MANY_CELLS", 203, "late")


def test_an_upload_is_read_where_it_is_stored_plain_or_packed() -> None:
    content = written([HEADER, *[[f"P{n}", "X", f"p{n}@x.org", n] for n in range(3_000)]])

    def opened(data: bytes, *, in_place: bool) -> list[tuple[str, ...]]:
        def piece(number: int) -> bytes | None:
            return data[number * 4_096 : (number + 1) * 4_096] or None

        stream = UploadStream(piece, size_bytes=len(data))
        whole = (lambda: cast("BinaryIO", stored(data))) if in_place else (lambda: None)
        found = table_in(stream, Reading(), whole=whole)
        return [row.cells for row in found if isinstance(row, Row)]

    expected = [(f"P{n}", "X", f"p{n}@x.org", str(n)) for n in range(3_000)]
    assert opened(content, in_place=True) == expected
    assert opened(gzip.compress(content), in_place=False) == expected
    with pytest.raises(UnreadableFile):
        opened(content[:-5_000], in_place=True)


def test_an_import_continues_at_the_same_row_of_a_sheet() -> None:
    content = written([HEADER, *[[f"P{n}", "X", f"p{n}@x.org", n] for n in range(50)]])
    whole = list(row_batches(table(content), size=7))
    for place, batch in enumerate(whole):
        assert list(row_batches(table(content), size=7, skip=batch.records_behind)) == whole[place + 1 :]
    assert [batch.records_behind for batch in whole] == [7, 14, 21, 28, 35, 42, 49, 50]


def test_the_progress_of_a_sheet_goes_from_0_to_1(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    path.write_bytes(written([HEADER, *[[f"P{n}", "X", f"p{n}@x.org", n] for n in range(5_000)]]))
    with open_table(path) as found:
        parts = [found.part_read or 0.0 for _ in found]
    assert parts == sorted(parts)
    assert 0 <= parts[0] < 0.5
    assert parts[-1] == 1.0
