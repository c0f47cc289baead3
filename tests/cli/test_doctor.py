"""`leadyard doctor`: reports a healthy database only if it is one, and names every fault."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from leadyard.ids import id_of, key_of, new_id, number_of
from leadyard.model import Caller
from leadyard.operations.events.placing import place_events
from leadyard.operations.moves import move_leads
from rig.commands import command, new_group
from rig.service import leadyard, on_database, run_sql
from rig.sqlite_file import open_sqlite


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
    lead_ids = tuple(id_of(row[0]) for row in run_sql(url, asked, number_of(group), number_of(ids["source"])))
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
    """Writes in spite of every rule of the schema, as a failing disk or a careless edit would."""
    if url.startswith("sqlite:"):
        with closing(open_sqlite(url, foreign_keys=False)) as connection:
            for sql in statements:
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
    engine, verdict = done.stdout.splitlines()
    assert verdict == "Healthy: 2 account groups, 2 audiences, 4 leads, 4 memberships, 3 changes, 0 jobs."
    report = command("doctor", "--json", url=patient.url).json()
    name, version = report["engine"]["name"], report["engine"]["version"]
    role = ", a primary" if name == "PostgreSQL" else ""
    assert engine.startswith(f"{name} {version}{role}: its own check ")
    if name == "PostgreSQL":
        described = report.pop("server")
        assert re.match("[0-9]", described.pop("version"))
        assert described == {"isStandby": False, "isReadOnly": False}
    if patient.url.startswith("sqlite:"):
        assert (name, version) == ("SQLite", apsw.sqlite_lib_version())
        assert engine.endswith(": its own check ran.")
    else:
        assert (name, version) == ("PostgreSQL", run_sql(patient.url, "SHOW server_version")[0][0].split()[0])
        assert "CREATE EXTENSION amcheck" in engine
    assert report == {
        "healthy": True,
        "engine": {
            "name": name,
            "version": version,
            "knownFaults": [],
            "integrityChecked": name == "SQLite",
        },
        "accountGroups": 2,
        "lookedAt": {"audiences": 2, "leads": 4, "memberships": 4, "changes": 3, "jobs": 0},
        "findings": [],
    }
    assert other


def test_a_count_that_drifted(patient: Patient) -> None:
    tamper(patient.url, f"UPDATE audiences SET prospect_count = 7 WHERE id = {key_of(patient.target)}")
    ((check, message),) = findings(patient)
    assert check == "prospect_count"
    assert message == f"Audience {patient.target} counts 7 prospects but has 3."
    read = command("doctor", url=patient.url)
    assert read.code == 1
    assert f"[prospect_count] account group {patient.group}: {message}" in read.out
    assert "1 finding:" in read.out


def test_members_without_their_lead(patient: Patient) -> None:
    lead = patient.lead_ids[0]
    tamper(patient.url, f"DELETE FROM leads WHERE id = {key_of(lead)}")
    ((check, message),) = findings(patient)
    assert check == "orphan"
    assert lead in message
    assert patient.target in message


def test_members_without_their_audience(patient: Patient) -> None:
    tamper(patient.url, f"DELETE FROM audiences WHERE id = {key_of(patient.target)}")
    found = findings(patient)
    assert [check for check, _ in found] == ["orphan"] * 3
    end = f"is in an audience that does not exist, with the number {number_of(patient.target)}."
    assert all(message.endswith(end) for _, message in found)
    assert all(any(f"Lead {lead} " in message for _, message in found) for lead in patient.lead_ids)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE leads SET search_block_id = 7 WHERE id = {}",
        "DELETE FROM search_blocks WHERE id = (SELECT search_block_id FROM leads WHERE id = {})",
        "UPDATE search_blocks SET first_lead_id = last_lead_id + 1",
    ],
)
def test_a_lead_that_no_search_finds(patient: Patient, damage: str) -> None:
    lead = patient.lead_ids[0]
    tamper(patient.url, damage.format(key_of(lead)))
    found = findings(patient)
    assert {check for check, _ in found} == {"search"}
    assert any(message.startswith(f"Lead {lead} is not in the block") for _, message in found)


def test_a_move_that_was_half_applied(patient: Patient) -> None:
    """The lead is in the target, and still in the source since before the move."""
    tamper(
        patient.url,
        "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
        f" VALUES ({number_of(patient.group)}, {number_of(patient.source)}, {key_of(patient.lead_ids[1])}, 1)",
        f"UPDATE audiences SET prospect_count = prospect_count + 1 WHERE id = {key_of(patient.source)}",
    )
    ((check, message),) = findings(patient)
    assert check == "record"
    lead, audience = patient.lead_ids[1], patient.source
    assert message == f"Lead {lead} is in audience {audience}, but the last change has taken it out."


def test_a_change_that_is_not_on_record(patient: Patient) -> None:
    """Any path that forgets the record: the doctor finds its work, however right the counts are."""
    tamper(patient.url, "DELETE FROM changes WHERE kind = 'move'")
    found = findings(patient)
    assert [check for check, _ in found] == ["record"] * 4
    for lead in patient.lead_ids:
        assert ("record", f"Lead {lead} is in audience {patient.target}, but no change has put it there.") in found
        message = f"Lead {lead} is not in audience {patient.source}, but the last change has put it there."
        assert ("record", message) in found


def test_a_member_that_disappeared_and_one_with_another_time(patient: Patient) -> None:
    there, gone = patient.lead_ids[0], patient.lead_ids[1]
    tamper(
        patient.url,
        f"DELETE FROM memberships WHERE lead_id = {key_of(gone)}",
        f"UPDATE memberships SET added_at = added_at + 7 WHERE lead_id = {key_of(there)}",
        "UPDATE audiences SET prospect_count = (SELECT count(*) FROM memberships m WHERE m.audience_id = number)",
    )
    sentences = [message for check, message in findings(patient) if check == "record"]
    assert any(f"Lead {gone} is not in audience" in each for each in sentences)
    assert any(f"Lead {there} is in audience" in each and "says since" in each for each in sentences)


def test_a_record_that_lost_leads(patient: Patient) -> None:
    tamper(patient.url, "UPDATE changes SET lead_count = lead_count + 3")
    wrong = {(check, message) for check, message in findings(patient)}
    assert ("change_count", f"Change {patient.move_id} counts 5 leads but lists 2.") in wrong
    assert {check for check, _ in wrong} == {"change_count"}


def test_a_change_without_an_event(patient: Patient) -> None:
    tamper(patient.url, *(f"DELETE FROM {table} WHERE type = 'leads.moved'" for table in ("events", "event_outbox")))
    assert findings(patient) == [("event", f"Change {patient.move_id} of the kind move has no event.")]


def test_a_feed_whose_end_was_set_back(patient: Patient) -> None:
    on_database(patient.url, place_events)
    tamper(patient.url, "UPDATE event_feeds SET last_id = last_id - 1")
    [(last,)] = run_sql(patient.url, "SELECT max(id) FROM events")
    message = f"Event {id_of(last)} is after the end of the feed, so readers may skip events."
    assert findings(patient) == [("feed", message)]


def test_all_faults_at_once(patient: Patient) -> None:
    tamper(
        patient.url,
        "UPDATE audiences SET prospect_count = 9",
        "UPDATE changes SET lead_count = 5, already_in_target_count = 0",
        f"DELETE FROM leads WHERE id = {key_of(patient.lead_ids[0])}",
    )
    expected = ["prospect_count", "prospect_count", "orphan", *["change_count"] * 3]
    assert [check for check, _ in findings(patient)] == expected


def insert_job(patient: Patient, *, status: str = "completed", **counts: int) -> str:
    """Writes a job on the source audience with these counts and returns its id."""
    job = new_id()
    names = "".join(f", {name}_count" for name in counts)
    values = "".join(f", {count}" for count in counts.values())
    tamper(
        patient.url,
        f"INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at{names})"
        f" VALUES ({number_of(patient.group)}, {key_of(job)}, 'csv_upload', '{status}', {key_of(patient.source)}, 1,"
        f" 1{values})",
    )
    return job


def insert_rejections(patient: Patient, job: str, count: int) -> None:
    for number in range(1, count + 1):
        tamper(
            patient.url,
            "INSERT INTO job_rejections (account_group_id, job_id, number, line, code, message, cells)"
            f" VALUES ({number_of(patient.group)}, {key_of(job)}, {number}, {number}, 'INVALID_EMAIL', 'No.', '[]')",
        )


def insert_upload(patient: Patient, *, size: int | None) -> str:
    """Writes an upload with a recorded size of `size` bytes, in two pieces of three bytes each."""
    upload = new_id()
    blob = "X'616263'" if patient.url.startswith("sqlite:") else "'abc'"
    tamper(
        patient.url,
        "INSERT INTO uploads (account_group_id, id, size_bytes, sha256, created_at, expires_at)"
        f" VALUES ({number_of(patient.group)}, {key_of(upload)}, {size or 'NULL'}, 'x', 1, 5)",
        *(
            "INSERT INTO upload_pieces (account_group_id, upload_id, number, content)"
            f" VALUES ({number_of(patient.group)}, {key_of(upload)}, {number}, {blob})"
            for number in (0, 1)
        ),
    )
    return upload


def test_jobs_and_uploads_that_are_as_they_should_be(patient: Patient) -> None:
    job = insert_job(patient, read=6, created=1, matched=2, rejected=3)
    insert_rejections(patient, job, 2)
    insert_upload(patient, size=6)
    # Still being uploaded, or being pruned.
    insert_upload(patient, size=None)
    done = command("doctor", url=patient.url)
    assert (done.code, "1 job." in done.out) == (0, True), done


def test_a_job_that_lost_count(patient: Patient) -> None:
    job = insert_job(patient, read=7, created=1, matched=2, rejected=3)
    assert findings(patient) == [("job_counts", f"Job {job} has read 7 prospects but accounts for 6.")]


def test_a_change_that_its_job_has_left_hidden(patient: Patient) -> None:
    job = insert_job(patient, status="running")
    tamper(patient.url, f"UPDATE changes SET state = 'open', job_id = {key_of(job)} WHERE kind = 'move'")
    assert command("doctor", url=patient.url).code == 0
    tamper(patient.url, f"UPDATE jobs SET status = 'cancelled' WHERE id = {key_of(job)}")
    [(check, sentence)] = findings(patient)
    assert check == "abandoned_change"
    assert sentence.endswith(f" of job {job} is hidden, and the job has ended.")


def test_a_complete_change_that_has_not_done_what_it_planned(patient: Patient) -> None:
    into = "INSERT INTO change_parts (account_group_id, change_id, position, changed_at, lead_ids, is_planned)"
    none = "'{}'" if patient.url.startswith("postgres") else "'[]'"
    tamper(patient.url, f"{into} SELECT account_group_id, id, 7, 1, {none}, true FROM changes WHERE kind = 'move'")
    [(check, sentence)] = findings(patient)
    assert check == "planned_part"
    assert sentence.endswith("has not done what it planned for its leads from place 7 on.")


def test_an_active_job_on_an_audience_that_is_deleted(patient: Patient) -> None:
    job = insert_job(patient, status="queued")
    assert command("doctor", url=patient.url).code == 0
    tamper(patient.url, f"UPDATE audiences SET deleted_at = 5 WHERE id = {key_of(patient.source)}")
    expected = f"Job {job} is active but its audience {patient.source} was deleted."
    assert findings(patient) == [("job_on_deleted_audience", expected)]
    tamper(patient.url, f"UPDATE jobs SET status = 'failed' WHERE id = {key_of(job)}")
    assert command("doctor", url=patient.url).code == 0


def test_two_active_jobs_on_one_audience(patient: Patient) -> None:
    """Each of the two columns is unique, so the audience is the first of one job and the second of the other."""
    insert_job(patient, status="queued")
    tamper(
        patient.url,
        "INSERT INTO jobs (account_group_id, id, type, status, audience_id, second_audience_id, created_at, updated_at)"
        f" VALUES ({number_of(patient.group)}, {key_of(new_id())}, 'csv_upload', 'running', {key_of(patient.target)},"
        f" {key_of(patient.source)},"
        " 1, 1)",
    )
    expected = f"Audience {patient.source} has 2 active jobs; it may have one."
    assert findings(patient) == [("jobs_on_audience", expected)]


def test_more_rejected_rows_than_counted(patient: Patient) -> None:
    job = insert_job(patient, read=1, rejected=1)
    insert_rejections(patient, job, 2)
    assert findings(patient) == [("job_rejections", f"Job {job} keeps 2 rejected rows but counts 1.")]


def test_an_upload_that_lost_a_piece(patient: Patient) -> None:
    upload = insert_upload(patient, size=9)
    assert findings(patient) == [("upload_pieces", f"Upload {upload} has 9 bytes but its pieces 6.")]


# ------------------------------------------------------------------------------------------ the engine


def test_a_webhook_that_would_lose_events(patient: Patient) -> None:
    webhook, event = new_id(), new_id()
    group, never = number_of(patient.group), key_of(webhook) + 2**40
    empty = "'[]'" if patient.url.startswith("sqlite:") else "'{}'"
    tamper(
        patient.url,
        "INSERT INTO webhooks (account_group_id, id, url, types, audience_ids, description, status, created_at,"
        f" secrets, position, ready_at) VALUES ({group}, {key_of(webhook)}, 'https://x.example', '[]', {empty}, '',"
        " 'active', 1, '[]', 0, 5)",
        "INSERT INTO webhook_deliveries (account_group_id, webhook_id, event_id, type, status, tries, attempts,"
        f" next_attempt_at) VALUES ({group}, {key_of(webhook)}, {key_of(event)}, 'leads.moved', 'pending', 1, '[]', 5)",
    )
    assert command("doctor", "--json", url=patient.url).code == 0
    tamper(patient.url, "UPDATE webhooks SET ready_at = 6", f"UPDATE webhooks SET position = {never}")
    assert findings(patient) == [
        (
            "webhook_position",
            f"Webhook {webhook} stands at event {id_of(never)}, beyond the end of its feed, and would skip events.",
        ),
        ("webhook_retries", f"Webhook {webhook} has 1 failed delivery that no worker will send again in time."),
    ]


def test_damage_is_reported(patient: Patient, tmp_path: Path) -> None:
    """An index that lacks a row: what a lost page leaves. Every query still gets an answer, so only the engine's own
    check can find it."""
    change = f"UPDATE leads SET email = 'elsewhere@example.org' WHERE id = {key_of(patient.lead_ids[0])}"
    if patient.url.startswith("postgres"):
        run_sql(patient.url, "CREATE EXTENSION amcheck")
        assert command("doctor", "--json", url=patient.url).json()["engine"]["integrityChecked"] is True
        switch = "UPDATE pg_index SET indisready = {0} WHERE indexrelid = CAST('leads_email_key' AS regclass)"
        tamper(patient.url, switch.format("false"), change, switch.format("true"))
    else:
        tamper(
            patient.url,
            "PRAGMA writable_schema=ON",
            "CREATE TEMP TABLE hidden AS SELECT * FROM sqlite_schema WHERE name = 'leads_email_key'",
            "DELETE FROM sqlite_schema WHERE name = 'leads_email_key'",
            "PRAGMA writable_schema=RESET",
            change,
            "PRAGMA writable_schema=ON",
            "INSERT INTO sqlite_schema SELECT * FROM hidden",
            "PRAGMA writable_schema=RESET",
        )
    done = command("doctor", "--json", url=patient.url)
    report = done.json()
    assert (done.code, report["healthy"]) == (1, False)
    damage = [each for each in report["findings"] if each["check"] == "integrity"]
    assert damage and all(each["accountGroupId"] is None for each in damage)
    assert f"[integrity] {damage[0]['message']}" in command("doctor", url=patient.url).out


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_a_file_that_cannot_be_read_is_reported(patient: Patient) -> None:
    with closing(open_sqlite(patient.url)) as connection:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        page: Any = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'audiences'").get
    with Path(patient.url.removeprefix("sqlite:///")).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    done = command("doctor", "--json", url=patient.url)
    # The line before the object is the log's.
    report = json.loads(done.out.splitlines()[-1])
    assert (done.code, report["healthy"]) == (1, False)
    assert {each["check"] for each in report["findings"]} == {"integrity"}


OLDER_ENGINE = """
import apsw, sys
apsw.sqlite_lib_version = lambda: "3.40.1"
from leadyard.__main__ import run
sys.argv[0] = "leadyard"
run()
"""


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("name", ["doctor", "config"])
def test_known_faults_are_a_warning(patient: Patient, name: str) -> None:
    """With a library that reports an older version, as an apsw of a distribution may."""
    environment = {**os.environ, "LEADYARD_DATABASE_URL": patient.url}
    done, as_json = (
        subprocess.run(
            [sys.executable, "-c", OLDER_ENGINE, name, *arguments], env=environment, capture_output=True, text=True
        )
        for arguments in ([], ["--json"])
    )
    assert (done.returncode, as_json.returncode, as_json.stderr) == (0, 0, "")
    assert done.stderr.startswith("Warning: SQLite 3.40.1: ")
    assert "3.51.3 or newer" in done.stderr
    report = json.loads(as_json.stdout)
    told = report["warnings"] if name == "config" else report["engine"]["knownFaults"]
    assert len(told) == 1 and "WAL-reset" in told[0]


def test_a_member_with_a_number_that_is_not_a_key(patient: Patient) -> None:
    group, audience = number_of(patient.group), number_of(patient.target)
    tamper(
        patient.url,
        f"UPDATE memberships SET lead_id = -7 WHERE account_group_id = {group}"
        f" AND audience_id = {audience} AND lead_id = {key_of(patient.lead_ids[0])}",
    )
    assert ("orphan", f"Lead -7 in audience {patient.target} lacks its lead row.") in findings(patient)
