"""Addresses behind the texts of cells: a column of labels identifies people, and a sheet with odd links is harmless."""

from __future__ import annotations

import io
import itertools
import time
import tracemalloc

import pytest
import xlsxwriter

from leadyard.files.workbooks import cell_links
from leadyard.files.workbooks.cell_links import shown_or_linked
from tests.files.books import people, table, xlsx

IN = "https://www.linkedin.com/in/"
SHEET_RELATIONS = "xl/worksheets/_rels/sheet1.xml.rels"
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
ROWS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>Profile</t></is></c></row>'
    '<row r="2"><c r="A2" t="inlineStr"><is><t>Ada</t></is></c><c r="B2" t="inlineStr"><is><t>see</t></is></c></row>'
)


def relations(*targets: str) -> str:
    found = "".join(
        f'<Relationship Id="rId{n}" Type="{KIND}" Target="{target}" TargetMode="External"/>'
        for n, target in enumerate(targets, 1)
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{found}</Relationships>'
    )


def linked(tags: str, *targets: str) -> bytes:
    """Returns a workbook with these tags behind its rows."""
    rows = f"{ROWS}</sheetData><hyperlinks>{tags}</hyperlinks><sheetData>"
    return xlsx(rows, **{SHEET_RELATIONS: relations(*targets)})


def test_a_label_that_leads_to_a_profile_has_a_column_of_its_own() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    for row, (name, label) in enumerate([("Name", "Profile"), ("Ada", "see"), ("Name", "Profile"), ("Bob", "see")]):
        sheet.write_row(row, 0, [name, label])
    sheet.write_url(1, 1, f"{IN}ada-link", string="see")
    sheet.write_url(3, 1, f"{IN}bob-link", string="see")
    sheet.write_url(3, 0, "https://bob.example", string="Bob")
    book.close()
    found = table(buffer.getvalue())
    assert found.header == ("Name", "Profile", "Profile link")
    # The header again is not a person, also with the column that it does not name.
    assert [person.linkedin_url for person in people(found)] == [f"{IN}ada-link", f"{IN}bob-link"]


def test_an_address_that_is_also_the_text_has_no_column() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Name", "LinkedIn", "E-mail"])
    sheet.write(1, 0, "Ada")
    sheet.write_url(1, 1, f"{IN}ada-link")
    sheet.write_url(1, 2, "mailto:ada@link.example", string="ada@link.example")
    book.close()
    assert table(buffer.getvalue()).header == ("Name", "LinkedIn", "E-mail")


@pytest.mark.parametrize(
    ("tag", "header"),
    [
        ('<hyperlink ref="B2" r:id="rId1"/>', ("Name", "Profile", "Profile link")),
        ("<x:hyperlink\n ref='$B$2' r:id='rId1' display='a &gt; b'/>", ("Name", "Profile", "Profile link")),
        # Links of several cells, of cells outside the table, to places in the workbook, and without a relation.
        ('<hyperlink ref="B2:B9" r:id="rId1"/>', ("Name", "Profile")),
        ('<hyperlink ref="ZZZ9999999" r:id="rId1"/>', ("Name", "Profile")),
        ('<hyperlink ref="B2" location="Sheet2!A1"/>', ("Name", "Profile")),
        ('<hyperlink ref="B2" r:id="rId9"/>', ("Name", "Profile")),
    ],
)
def test_tags_of_links(tag: str, header: tuple[str, ...]) -> None:
    assert table(linked(tag, f"{IN}ada-link")).header == header


def test_a_tag_may_lie_across_two_pieces() -> None:
    tag = b'<hyperlink ref="B2" r:id="rId1"/>'
    for at in range(1, len(tag)):
        pieces = iter([b"<row/>" + tag[:at], tag[at:] + b"</hyperlinks>"])
        assert list(cell_links._tags(pieces)) == [tag]


def test_many_links_need_little_time_and_memory() -> None:
    count = 90_000
    tags = "".join(f'<hyperlink ref="B{n + 2}" r:id="rId{n + 1}"/>' for n in range(count))
    content = linked(tags, *map(f"{IN}ada-{{}}".format, range(count)))
    tracemalloc.start()
    began = time.process_time()
    header = table(content).header
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert header == ("Name", "Profile", "Profile link")
    assert peak < 100 * 1024**2
    assert time.process_time() - began < 30


def test_a_tag_without_end_is_not_kept() -> None:
    pieces = itertools.chain([b"<hyperlink "], itertools.repeat(b"x" * 65_536, 200))
    tracemalloc.start()
    assert list(cell_links._tags(iter(pieces))) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1024**2


def test_tags_without_end_cost_no_time() -> None:
    began = time.process_time()
    assert list(cell_links._tags(itertools.repeat(b"<hyperlink " * 6_000, 100))) == []
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "formula", "shown"),
    [
        ("Profile", f'HYPERLINK("{IN}ada","Profile")', f"{IN}ada"),
        ("", f'hyperlink( "{IN}ada" , "")', f"{IN}ada"),
        ("E-Mail", 'HYPERLINK("mailto:ada@a.example","E-Mail")', "mailto:ada@a.example"),
        # A name and a site are what the cell says.
        ("Ada Vint", f'HYPERLINK("{IN}ada","Ada Vint")', "Ada Vint"),
        ("Link", 'HYPERLINK("https://vint.example","Link")', "Link"),
        ("Link", 'IF(A1,HYPERLINK("x"),"")', "Link"),
        ("12", "SUM(A1:A9)", "12"),
    ],
)
def test_a_formula_of_a_link(text: str, formula: str, shown: str) -> None:
    assert shown_or_linked(text, formula) == shown
