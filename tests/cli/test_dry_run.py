"""`leadyard import --dry-run`: shows what a file would become, with the same content as the API, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from leadyard.ids import number_of
from rig.answers import data_of
from rig.commands import Outcome, command
from rig.file_jobs import upload
from rig.service import Tenant, run_sql

MESSY = (
    "Leads of the fair\n\nFirst Name;Last Name;Work Email;Home Email;Profile;Notes\n"
    "Ada;Lovelace;n/a;ada@h.example;https://www.linkedin.com/in/ada-l;met at the stand\n"
    "Bob;Boole;bob@w.example, b2@w.example;;;\n"
    "Cy;Wide;nope;;;\n"
    "Total: 3;;;;;\n"
)
TABLES = """\
fair.csv: csv, encoding utf-8, delimiter ';', header on line 3, 3 rows

column for example becomes why
First Name Ada firstName spelling
Last Name Lovelace lastName spelling
Work Email n/a email spelling
Home Email ada@h.example email spelling
Profile https://www.linkedin.com/in/ada-l linkedinUrl content
Notes met at the stand a custom field custom

line name identity title company notes
4 Ada Lovelace https://www.linkedin.com/in/ada-l
5 Bob Boole bob@w.example
6 (rejected) INVALID_EMAIL

All 3 rows: created 2 matched 0 rejected 1 skipped 1 noted 0 differing 0 suppressed 0
Notes: INVALID_EMAIL 1
This was a dry run: nothing was written."""
DryRun = Callable[..., Outcome]


@pytest.fixture
def dry_run(url: str, group: str, tmp_path: Path) -> DryRun:
    """A function that writes a file and looks at it."""

    def work(content: str, *arguments: str) -> Outcome:
        file = tmp_path / "fair.csv"
        file.write_text(content, encoding="utf-8")
        options = ("--account-group", group, "--audience", "People", "--dry-run", *arguments)
        return command("import", str(file), *options, url=url)

    return work


def test_tables_for_people(dry_run: DryRun, url: str, group: str, tmp_path: Path) -> None:
    done = dry_run(MESSY)
    assert (done.code, done.err) == (0, "")
    assert "\n".join(" ".join(line.split()) for line in done.out.splitlines()) == TABLES
    assert [path.name for path in tmp_path.iterdir()] == ["fair.csv"]
    assert run_sql(url, "SELECT count(*) FROM audiences WHERE account_group_id = $1", number_of(group)) == [(0,)]


def test_a_file_in_which_nothing_identifies_anyone(dry_run: DryRun, url: str, group: str, tmp_path: Path) -> None:
    content = "Name,Phone,Kundennr\nTom Yates,+34 600 555 138,K-1\nUla Zorn,+34 600 555 139,K-2\n"
    looked = dry_run(content)
    assert looked.code == 0
    assert "No column of the file identifies a person." in looked.out
    assert "Name 'Kundennr' or 'Phone' as identityColumn" in looked.out
    options = ("--account-group", group, "--audience", "People")
    file = str(tmp_path / "fair.csv")
    command("import", file, *options, url=url).refused(1, "No column of the file identifies", "'Kundennr'")
    assert run_sql(url, "SELECT count(*) FROM audiences WHERE account_group_id = $1", number_of(group)) == [(0,)]
    named = dry_run(content, "--identity-column", "Kundennr")
    assert "All 2 rows: created 2 " in named.out
    assert command("import", file, *options, "--identity-column", "Kundennr", url=url).code == 0


def test_only_the_rows_of_a_filter_count(dry_run: DryRun) -> None:
    found = dry_run(MESSY, "--where", "First Name=Bob", "--json").json()
    assert (found["rowCount"], found["estimate"]["created"]) == (1, 1)


def test_both_doors_show_the_same(job_tenant: Tenant, tmp_path: Path) -> None:
    upload_id = upload(job_tenant, MESSY.encode(), "text/csv")
    answer = data_of(job_tenant.client.post(f"/uploads/{upload_id}/preview", json={}))
    file = tmp_path / "fair.csv"
    file.write_text(MESSY)
    options = ("--account-group", job_tenant.account_group_id, "--audience", "People", "--dry-run", "--json")
    shown = command("import", str(file), *options, url=job_tenant.service.database_url).json()
    assert shown == answer
