"""One of a thing is not several: numbers with their nouns in the output of commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from leadyard.cli.job_report import counts_as_dict, job_as_text
from leadyard.counted import counted
from leadyard.errors import SelectionChanged
from leadyard.model import JobCounts
from rig.commands import command, new_group


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 leads"), (1, "1 lead"), (2, "2 leads"), (1_234_567, "1,234,567 leads")]
)
def test_a_number_with_its_noun(count: int, text: str) -> None:
    assert counted(count, "lead") == text


def test_a_noun_with_another_plural() -> None:
    assert [counted(count, "known person", "known people") for count in (1, 2)] == ["1 known person", "2 known people"]


def test_a_selection_of_one() -> None:
    assert SelectionChanged(count=1).details.startswith("It has 1 lead now.")


@pytest.mark.parametrize(
    ("names", "line"),
    [(["City"], "1 more column is a custom field."), (["City", "Team"], "2 more columns are custom fields.")],
)
def test_custom_columns_of_a_job(names: list[str], line: str) -> None:
    facts = dict.fromkeys(["jobId", "sourceType", "status", "audienceId", "createdAt"], "x")
    facts["updatedAt"] = "2026-11-30T12:00:00.000Z"
    plan = [{"name": name, "field": None, "how": "custom"} for name in names]
    job = {**facts, "stages": {}, "counts": counts_as_dict(JobCounts()), "error": None, "plan": plan}
    assert job_as_text(job, options="").splitlines()[-1].strip() == line


def test_one_of_everything(migrated_database: Callable[[], str], tmp_path: Path) -> None:
    url = migrated_database()
    group = new_group(url)
    limited = command("account-groups", "update", group, "--max-results", "1", url=url)
    assert limited.out.endswith("may add up to 1 prospect from a provider.\n")
    file, exported, to = tmp_path / "one.csv", tmp_path / "out.csv", ("--account-group", group, "--audience", "One")
    file.write_text("email\nada@example.org\n")
    looked = command("import", str(file), *to, "--dry-run", url=url)
    assert "header on line 1, 1 row\n" in looked.out and "\nAll 1 row: created 1 " in looked.out
    command("import", str(file), *to, url=url)
    assert command("export", *to, "--output", str(exported), url=url).out.startswith("Exported 1 lead of One ")
    verdict = command("doctor", url=url).out.splitlines()[-1]
    assert verdict == "Healthy: 1 account group, 1 audience, 1 lead, 1 membership, 1 change, 0 jobs."


def test_too_many_cells_for_one_column(url: str, group: str, tmp_path: Path) -> None:
    file = tmp_path / "narrow.csv"
    file.write_text("email\nada@example.org\nbob@example.org,x\n")
    command("import", str(file), "--account-group", group, "--audience", "Narrow", url=url)
    assert "Line 3 has 2 cells but the header names 1 column:" in (tmp_path / "narrow.rejects.csv").read_text()
