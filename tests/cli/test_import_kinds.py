"""`leadyard import` of workbooks and vCards, from a path and from a pipe, with several columns for a field."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from leadyard.ids import number_of
from rig.commands import Outcome, command
from rig.service import LEADYARD, run_sql
from tests.files.books import WRITTEN, written

CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada Lovelace\nEMAIL:ada@v.example\nEND:VCARD\n"


def bring_in(url: str, group: str, file: Path | str, *arguments: str) -> Outcome:
    return command("import", str(file), "--account-group", group, "--audience", "People", *arguments, url=url)


def emails(url: str, group: str) -> list[str]:
    found = run_sql(url, "SELECT email FROM leads WHERE account_group_id = $1 ORDER BY email", number_of(group))
    return [email for (email,) in found]


@pytest.mark.parametrize("kind", ["xlsx", "xlsb", "xls"])
def test_a_workbook_whatever_it_is_called(url: str, group: str, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "export.csv"
    shutil.copy(WRITTEN / f"people.{kind}", file)
    first = bring_in(url, group, file, "--json").json()
    assert (first["read"], first["created"], first["rejected"], first["skipped"]) == (2, 2, 0, 1)
    again = bring_in(url, group, file)
    assert "read 2  created 0  matched 2  added 0  alreadyInAudience 2  rejected 0  skipped 1" in again.out
    assert emails(url, group) == ["lukasz@w1.example", "zoe@w1.example"]


def test_a_sheet_is_chosen_and_a_wrong_one_refused(url: str, group: str) -> None:
    bring_in(url, group, WRITTEN / "people.xlsx", "--sheet", "Leads").refused(2, "no sheet 'Leads'", "People")
    assert bring_in(url, group, WRITTEN / "people.xlsx", "--sheet", "Hidden").code == 0
    assert emails(url, group) == ["hid@w1.example"]


def test_a_pipe_may_contain_a_workbook_or_cards(url: str, group: str) -> None:
    rows = [["Email", "Name"], *[[f"p{n}@p.example", f"P {n}"] for n in range(3_000)]]
    for content in (written(rows), CARD.encode()):
        done = subprocess.run(
            [*LEADYARD, "import", "-", "--account-group", group, "--audience", "People"],
            input=content, capture_output=True, env={**os.environ, "LEADYARD_DATABASE_URL": url}, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert len(emails(url, group)) == 3_001


def test_a_repeated_map_names_columns_in_order(url: str, group: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Who,A,B\nAda,,ada@b.example\nBob,bob@a.example,bob@b.example\n")
    done = bring_in(url, group, file, "--map", "email=A", "--map", "email=B", "--map", "name=Who", "--json")
    assert done.json()["created"] == 2
    assert emails(url, group) == ["ada@b.example", "bob@a.example"]
