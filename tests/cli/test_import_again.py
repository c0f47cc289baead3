"""The same file again changes nothing, also if people share an address and their names come in pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leadyard.ids import number_of
from rig.commands import command
from rig.service import run_sql

HEADER = "First Name,Last Name,Full Name,Email,LinkedIn URL,Phone\n"
KAT, LOU = "https://www.linkedin.com/in/kat-oakes", "https://www.linkedin.com/in/lou-pike"
TABLES = {
    # One word is a first name in one row and a last name in the other.
    "a word in either field": ",,,info@c.example,,\n,Kat,,info@c.example,,\nKat,,,info@c.example,,\n",
    # With a name, the owner of the mailbox is no longer the person of the row without one.
    "a name by a profile": f",,,info@c.example,,\n,,,info@c.example,{KAT},\nKat,,,,{KAT},\n",
    # Kat was there before Lou, and shares the address after the other Kat does.
    "a profile that joins an address": (
        f"Kat,Oakes,,,{KAT},\nLou,Pike,,info@c.example,,\nKat,Oakes,,info@c.example,,555-0131\n"
        f"Kat,Oakes,,info@c.example,{KAT},\n"
    ),
    # The person with the address gets first and last name from two rows that contradict a third one.
    "names in pieces": ",Gray,,kat@c.example,,\n,,Lou Pike,kat@c.example,,\nAnn,,,kat@c.example,,\n",
    # The full name belongs to the first row, and the last name to another person.
    "a full name and half of another": (
        ",,Kat Oakes,info@c.example,,\nKat,,,info@c.example,,\nKat,Gray,,info@c.example,,555-0132\n"
    ),
    # The word is the first name of one person and the last name of another, who gets more names by a profile.
    "a part of a name is left behind": (
        f',,"Oakes, Kat",info@c.example,,\nKat,,,info@c.example,,\n,Kat,,info@c.example,{KAT},\n,,Kat Pike,,{KAT},\n'
    ),
    # The owner of the address gets the last name of the person to whom this name alone has led.
    "the owner gets the name of another": (
        ",,Lou Pike,info@c.example,,\n,Kat,,info@c.example,,555-0132\nKat,,,info@c.example,,\n"
        ",Kat,Lou Pike,info@c.example,,\n"
    ),
    "a sharer gets a profile": (
        "Kat,Oakes,,info@c.example,,\nLou,Pike,,info@c.example,,\nL.,Pike,,info@c.example,,\n"
        f"Lou,Pike,,info@c.example,{LOU},\nLou,Pike,,info@c.example,,555-0133\n"
    ),
}


UPDATED = {
    # Lou leaves the mailbox. The row without profile has led to Kat, who has it still.
    "somebody leaves a mailbox": (
        f",,,info@c.example,{KAT},\n,,,info@c.example,{LOU},\n,,,info@c.example,,555-0131\n,,,lou@c.example,{LOU},\n"
    ),
    "somebody leaves the mailbox of another": (
        f",,,info@c.example,,\n,,,info@c.example,{KAT},\n,,,info@c.example,{LOU},\n,,,lou@c.example,{LOU},\n"
    ),
}


@pytest.mark.parametrize("table", [pytest.param(table, id=name) for name, table in UPDATED.items()])
def test_the_same_update_again_changes_nothing(url: str, group: str, tmp_path: Path, table: str) -> None:
    test_the_same_file_again_changes_nothing(url, group, tmp_path, table, "update")


@pytest.mark.parametrize("mode", ["fill", "skip"])
@pytest.mark.parametrize("table", [pytest.param(table, id=name) for name, table in TABLES.items()])
def test_the_same_file_again_changes_nothing(url: str, group: str, tmp_path: Path, table: str, mode: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text(HEADER + table, encoding="utf-8")

    def bring_in() -> dict[str, Any]:
        arguments = ("--account-group", group, "--audience", "People", "--on-known", mode, "--json")
        report: dict[str, Any] = command("import", str(file), *arguments, url=url).json()
        return report

    def stored() -> tuple[list[Any], list[Any]]:
        leads = run_sql(url, "SELECT * FROM leads WHERE account_group_id = $1 ORDER BY id", number_of(group))
        query = "SELECT kind, value, lead_id FROM lead_identities WHERE account_group_id = $1 ORDER BY kind, value"
        return leads, run_sql(url, query, number_of(group))

    first = bring_in()
    rows = table.count("\n")
    assert (first["read"], first["created"] + first["matched"], first["rejected"]) == (rows, rows, 0)
    before = stored()
    again = bring_in()
    # `skip` does not keep that a profile belongs to a known person, so a later row with this profile contradicts it.
    may_contradict = mode == "skip" and again["rejected"] == 1
    assert (again["created"], again["matched"]) == (0, rows - 1 if may_contradict else rows)
    assert stored() == before
    assert command("doctor", url=url).code == 0


def test_a_later_batch_may_have_new_and_known_people(url: str, group: str, tmp_path: Path) -> None:
    """The record has each lead of the import once. The known ones of the second batch were recorded with the first."""
    numbers = [*range(2_000), *range(50), *range(2_000, 2_060)]
    file = tmp_path / "people.csv"
    file.write_text("Email,Note\n" + "".join(f"p{number}@c.example,{number}\n" for number in numbers))
    arguments = ("--account-group", group, "--audience", "People", "--json")
    report = command("import", str(file), *arguments, url=url).json()
    counts = {name: report[name] for name in ("read", "created", "matched", "added", "alreadyInAudience")}
    assert counts == {"read": 2_110, "created": 2_060, "matched": 50, "added": 2_060, "alreadyInAudience": 50}

    def count(query: str) -> list[tuple[int, ...]]:
        mine = f"{query} WHERE account_group_id = $1"
        return [tuple(map(int, row)) for row in run_sql(url, mine, number_of(group))]

    assert count("SELECT lead_count FROM changes") == [(2_060,)]
    assert sorted(count("SELECT created_count FROM change_parts")) == [(60,), (2_000,)]
    # The parts show which leads are new, so none of them has an entry of its own in the index.
    own = "(SELECT id FROM leads WHERE account_group_id = $1)"
    assert count(f"SELECT count(*) FROM (SELECT * FROM change_subjects WHERE subject IN {own}) s") == [(0,)]
    assert count("SELECT count(*) FROM memberships") == [(2_060,)]
    assert command("doctor", url=url).code == 0
