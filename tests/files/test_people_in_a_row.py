"""Rows with several people become a row for each, and files that only look like that stay as they are."""

from __future__ import annotations

import io

import pytest

from leadyard.files.table import Row, Table
from leadyard.files.tables import Reading, table_in

CONTACTS = "Company,Contact 1 Name,Contact 1 Email,Contact 2 Name,Contact 2 Email"


def table(*lines: str, wanted: tuple[str, ...] = ()) -> Table:
    return table_in(io.BytesIO("\n".join([*lines, ""]).encode()), Reading(wanted=wanted))


def cells(found: Table) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.line_number, row.cells) for row in found if isinstance(row, Row)]


def test_each_person_of_a_row_has_a_row_with_the_shared_columns() -> None:
    found = table(CONTACTS, "Vint,Ada Vint,ada@x.org,Bob Wold,bob@x.org", "Day,Cem Day,cem@x.org,,", "Ey,,,,")
    assert found.header == ("Company", "Contact Name", "Contact Email")
    assert [list(person) for person in found.sample()][1] == ["Vint", "Bob Wold", "bob@x.org"]
    assert cells(found) == [
        (2, ("Vint", "Ada Vint", "ada@x.org")),
        (2, ("Vint", "Bob Wold", "bob@x.org")),
        (3, ("Day", "Cem Day", "cem@x.org")),
        (4, ("Ey", "", "")),
    ]


def test_a_column_that_one_of_the_people_lacks_is_empty() -> None:
    found = table(
        "Guest 1 Name,Guest 1 Email,Guest 1 Phone,Guest 2 Name,Guest 2 Email,Guest 3 Name,Guest 3 Email,Guest 3 Phone",
        "Ada,ada@x.org,1234567,Bob,bob@x.org,Cem,cem@x.org,7654321",
    )
    assert [row for _, row in cells(found)] == [
        ("Ada", "ada@x.org", "1234567"), ("Bob", "bob@x.org", ""), ("Cem", "cem@x.org", "7654321"),
    ]  # fmt: skip


def test_bad_rows_and_footers_are_passed_on() -> None:
    found = table(CONTACTS, "Vint,Ada,ada@x.org,Bob,bob@x.org", "a,b,c,d,e,f,g", "Total: 2,,,,")
    kinds = [type(row).__name__ for row in found]
    assert kinds == ["Row", "Row", "BadRow", "SkippedRow"]


@pytest.mark.parametrize(
    "lines",
    [
        ["Name,Email 1,Email 2", "Ada,a@x.org,b@x.org", "Bob,c@x.org,d@x.org"],
        ["Name 1,Name 2,Email 1,Email 2", "Vint & Co,Sales,a@x.org,b@x.org", "Wold KG,,c@x.org,d@x.org"],
        ["Name,Email,Name,Email", "Ada,a@x.org,Ada,a@x.org", "Bob,b@x.org,Bob,b@x.org"],
        ["Name,Email,Name,Email", *(f"P{n},p{n}@x.org,Kim,kim@a.org" for n in range(3))],
        ["Contact Name,Contact Email,Owner 1 Name,Owner 1 Email,Owner 2 Name,Owner 2 Email", "A,a@x.org,K,k@a,L,l@a"],
        ["First Name,Last Name,E-mail 1 - Value,E-mail 2 - Value", "Ada,Vint,a@x.org,b@x.org"],
    ],
)
def test_several_addresses_of_one_person_and_owners_are_not_several_people(lines: list[str]) -> None:
    found = table(*lines)
    assert len(cells(found)) == len(lines) - 1
    assert len(found.header) == len(lines[0].split(","))


def test_a_mapping_of_a_column_of_one_of_them_keeps_the_row_whole() -> None:
    line = "Vint,Ada Vint,ada@x.org,Bob Wold,bob@x.org"
    assert len(table(CONTACTS, line, wanted=("Contact 2 Email",)).header) == 5
    assert len(table(CONTACTS, line, wanted=("Company", "contact email")).header) == 3
