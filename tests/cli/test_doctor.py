"""`leadyard doctor`: says that all is well only when it is, and names what is not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from leadyard.model import Caller
from leadyard.operations.moves import move_leads
from tests.cli.commands import command, new_group
from tests.service import leadyard, on_database, run_sql


@dataclass(frozen=True)
class Patient:
    """A database with one move in it: two of three leads went from the source to the target."""

    url: str
    group: str
    source: str
    target: str
    lead_ids: tuple[str, ...]
    move_id: str


@pytest.fixture
def patient(migrated_database: Callable[[], str], tmp_path: Path) -> Patient:
    url = migrated_database()
    group = new_group(url)
    ids = {}
    for name, people in (("source", "abc"), ("target", "x")):
        file = tmp_path / f"{name}.csv"
        file.write_text("email\n" + "".join(f"{person}@example.org\n" for person in people))
        done = command("import", str(file), "--account-group", group, "--audience", name, "--json", url=url)
        ids[name] = done.json()["audience"]["id"]
    asked = "SELECT lead_id FROM memberships WHERE account_group_id = $1 AND audience_id = $2 ORDER BY lead_id LIMIT 2"
    lead_ids = tuple(row[0] for row in run_sql(url, asked, group, ids["source"]))
    moved = on_database(
        url,
        lambda db: move_leads(
            db,
            Caller.operator(group),
            source_audience_id=ids["source"],
            target_audience_id=ids["target"],
            lead_ids=lead_ids,
        ),
    )
    return Patient(url, group, ids["source"], ids["target"], lead_ids, moved.move.id)


def tamper(url: str, *statements: str) -> None:
    """Writes past every rule of the schema, as a failing disk or a careless hand would."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            for sql in ("PRAGMA foreign_keys=OFF", *statements):
                connection.execute(sql)
        return

    async def run() -> None:
        connection: Any = await asyncpg.connect(url)
        try:
            for sql in ("SET session_replication_role = replica", *statements):
                await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(run())


def findings(patient: Patient) -> list[tuple[str, str]]:
    done = command("doctor", "--json", url=patient.url)
    report = done.json()
    assert done.code == 1, done
    assert report["healthy"] is False
    assert {finding["accountGroupId"] for finding in report["findings"]} == {patient.group}
    return [(finding["check"], finding["message"]) for finding in report["findings"]]


def test_a_healthy_database(patient: Patient) -> None:
    other = new_group(patient.url, "Empty")
    done = leadyard("doctor", url=patient.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Healthy: 2 account groups, 2 audiences, 4 leads, 4 memberships, 1 moves.\n"
    report = command("doctor", "--json", url=patient.url).json()
    assert report == {
        "healthy": True,
        "accountGroups": 2,
        "lookedAt": {"audiences": 2, "leads": 4, "memberships": 4, "moves": 1},
        "findings": [],
    }
    assert other


def test_a_count_that_drifted(patient: Patient) -> None:
    tamper(patient.url, f"UPDATE audiences SET prospect_count = 7 WHERE id = '{patient.target}'")
    ((check, message),) = findings(patient)
    assert check == "prospect_count"
    assert message == f"Audience {patient.target} counts 7 prospects but has 3."
    read = command("doctor", url=patient.url)
    assert read.code == 1
    assert f"[prospect_count] account group {patient.group}: {message}" in read.out
    assert "1 findings" in read.out


def test_members_without_their_lead(patient: Patient) -> None:
    lead = patient.lead_ids[0]
    tamper(patient.url, f"DELETE FROM leads WHERE id = '{lead}'")
    ((check, message),) = findings(patient)
    assert check == "orphan"
    assert lead in message
    assert patient.target in message


def test_members_without_their_audience(patient: Patient) -> None:
    tamper(patient.url, f"DELETE FROM audiences WHERE id = '{patient.target}'")
    found = findings(patient)
    assert [check for check, _ in found] == ["orphan"] * 3
    assert all(patient.target in message for _, message in found)


def test_a_move_that_was_half_applied(patient: Patient) -> None:
    """The lead is in the target, and still in the source since before it was moved."""
    tamper(
        patient.url,
        "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
        f" VALUES ('{patient.group}', '{patient.source}', '{patient.lead_ids[1]}', 1)",
        f"UPDATE audiences SET prospect_count = prospect_count + 1 WHERE id = '{patient.source}'",
    )
    ((check, message),) = findings(patient)
    assert check == "half_move"
    assert message.startswith(f"Move {patient.move_id}: 1 of its leads")


def test_a_lead_that_came_back_later_is_no_half_move(patient: Patient) -> None:
    tamper(
        patient.url,
        "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
        f" SELECT account_group_id, source_audience_id, '{patient.lead_ids[1]}', moved_at FROM moves",
        f"UPDATE audiences SET prospect_count = prospect_count + 1 WHERE id = '{patient.source}'",
    )
    assert command("doctor", url=patient.url).code == 0


def test_a_record_that_lost_leads(patient: Patient) -> None:
    tamper(patient.url, "UPDATE moves SET moved_count = 5")
    assert findings(patient) == [("move_count", f"Move {patient.move_id} counts 5 leads but lists 2.")]


def test_all_faults_at_once(patient: Patient) -> None:
    tamper(
        patient.url,
        "UPDATE audiences SET prospect_count = 9",
        "UPDATE moves SET moved_count = 5",
        f"DELETE FROM leads WHERE id = '{patient.lead_ids[0]}'",
    )
    assert [check for check, _ in findings(patient)] == ["prospect_count", "prospect_count", "orphan", "move_count"]
