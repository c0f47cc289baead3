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

from leadyard.ids import new_id
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
    assert done.stdout == "Healthy: 2 account groups, 2 audiences, 4 leads, 4 memberships, 1 moves, 0 jobs.\n"
    report = command("doctor", "--json", url=patient.url).json()
    assert report == {
        "healthy": True,
        "accountGroups": 2,
        "lookedAt": {"audiences": 2, "leads": 4, "memberships": 4, "moves": 1, "jobs": 0},
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


def insert_job(patient: Patient, *, status: str = "completed", **counts: int) -> str:
    """Writes a job on the source audience with these counts and returns its id."""
    job = new_id()
    names = "".join(f", {name}_count" for name in counts)
    values = "".join(f", {count}" for count in counts.values())
    tamper(
        patient.url,
        f"INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at{names})"
        f" VALUES ('{patient.group}', '{job}', 'csv_upload', '{status}', '{patient.source}', 1, 1{values})",
    )
    return job


def insert_rejections(patient: Patient, job: str, count: int) -> None:
    for number in range(1, count + 1):
        tamper(
            patient.url,
            "INSERT INTO job_rejections (account_group_id, job_id, number, line, code, message, cells)"
            f" VALUES ('{patient.group}', '{job}', {number}, {number}, 'INVALID_EMAIL', 'No.', '[]')",
        )


def insert_upload(patient: Patient, *, size: int | None) -> str:
    """Writes an upload that says it has `size` bytes, in two pieces of three bytes each."""
    upload = new_id()
    blob = "X'616263'" if patient.url.startswith("sqlite:") else "'abc'"
    tamper(
        patient.url,
        "INSERT INTO uploads (account_group_id, id, size_bytes, sha256, created_at, expires_at)"
        f" VALUES ('{patient.group}', '{upload}', {size or 'NULL'}, 'x', 1, 5)",
        *(
            "INSERT INTO upload_pieces (account_group_id, upload_id, number, content)"
            f" VALUES ('{patient.group}', '{upload}', {number}, {blob})"
            for number in (0, 1)
        ),
    )
    return upload


def test_jobs_and_uploads_that_are_as_they_should_be(patient: Patient) -> None:
    job = insert_job(patient, read=6, created=1, matched=2, rejected=3)
    insert_rejections(patient, job, 2)
    insert_upload(patient, size=6)
    # Still arriving, or being pruned.
    insert_upload(patient, size=None)
    done = command("doctor", url=patient.url)
    assert (done.code, "1 jobs" in done.out) == (0, True), done


def test_a_job_that_lost_count(patient: Patient) -> None:
    job = insert_job(patient, read=7, created=1, matched=2, rejected=3)
    assert findings(patient) == [("job_counts", f"Job {job} has read 7 prospects but accounts for 6.")]


def test_an_active_job_on_an_audience_that_is_deleted(patient: Patient) -> None:
    job = insert_job(patient, status="queued")
    assert command("doctor", url=patient.url).code == 0
    tamper(patient.url, f"UPDATE audiences SET deleted_at = 5 WHERE id = '{patient.source}'")
    expected = f"Job {job} is active but its audience {patient.source} was deleted."
    assert findings(patient) == [("job_on_deleted_audience", expected)]
    tamper(patient.url, f"UPDATE jobs SET status = 'failed' WHERE id = '{job}'")
    assert command("doctor", url=patient.url).code == 0


def test_more_rejected_rows_than_counted(patient: Patient) -> None:
    job = insert_job(patient, read=1, rejected=1)
    insert_rejections(patient, job, 2)
    assert findings(patient) == [("job_rejections", f"Job {job} keeps 2 rejected rows but counts 1.")]


def test_an_upload_that_lost_a_piece(patient: Patient) -> None:
    upload = insert_upload(patient, size=9)
    assert findings(patient) == [("upload_pieces", f"Upload {upload} has 9 bytes but its pieces 6.")]
