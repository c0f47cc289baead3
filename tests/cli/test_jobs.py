"""`leadyard jobs`: lists, shows, watches and cancels jobs, and writes their rejected rows to a file."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.ids import key_of, new_id, number_of
from leadyard.model import ACTIVE_JOB_STATUSES, Caller, Job, NewAudience, ProfileUrls
from leadyard.operations.jobs.prospecting import get_job
from leadyard.worker.jobs.kinds import Kinds
from leadyard.worker.jobs.worker import Worker
from rig.commands import Outcome, command
from rig.jobs import queue_job
from rig.service import LEADYARD, on_database, run_sql

URLS = ["https://www.linkedin.com/in/ada", "=HYPERLINK(1)", "https://www.linkedin.com/in/grace", "nobody"]


def start(url: str, group: str, urls: list[str], name: str = "From URLs") -> Job:
    return on_database(url, lambda db: queue_job(db, group, ProfileUrls(tuple(urls)), audience=NewAudience(name)))


def work_until_ended(url: str, group: str, job: Job) -> None:
    """Runs a worker in this process, as `leadyard worker` would."""

    async def work(db: Database) -> None:
        worker = Worker(db, Kinds(None), concurrency=2, lease_s=30)
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(30):
            while (await get_job(db, Caller.operator(group), job_id=job.id)).status in ACTIVE_JOB_STATUSES:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        worker.stop()
        await running

    on_database(url, work)


def insert_job(url: str, group: str, status: str, **columns: Any) -> str:
    """Writes a job in that state on a new audience, and returns its id."""
    job, audience = new_id(), new_id()
    run_sql(
        url,
        "INSERT INTO audiences (account_group_id, id, number, name, type, prospect_count, created_at, changed_at)"
        " VALUES ($1, $2, $3, 'Filled', 'csv_upload', 0, 1, 1)",
        number_of(group),
        key_of(audience),
        number_of(audience),
    )
    names = "".join(f", {name}" for name in columns)
    places = "".join(f", ${number}" for number in range(5, 5 + len(columns)))
    run_sql(
        url,
        "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at, lease_until"
        f"{names}) VALUES ($1, $2, 'csv_upload', $3, $4, 1, 1, 0{places})",
        number_of(group),
        key_of(job),
        status,
        key_of(audience),
        *columns.values(),
    )
    return job


@pytest.fixture
def jobs(url: str, group: str) -> Callable[..., Outcome]:
    """A function that calls `leadyard jobs` for the account group."""
    return lambda *arguments: command("jobs", *arguments, "--account-group", group, url=url)


def test_a_job_from_its_start_to_the_rejected_rows_mended(
    jobs: Callable[..., Outcome], url: str, group: str, tmp_path: Path
) -> None:
    job = start(url, group, URLS)
    waiting = jobs("show", job.id, "--json").json()["job"]
    assert (waiting["status"], waiting["stages"]["import"]) == ("queued", {"status": "pending", "progress": 0.0})
    work_until_ended(url, group, job)

    watched = jobs("watch", job.id, "--json")
    assert (watched.code, watched.err) == (0, "")
    report = watched.json()["job"]
    assert report["status"] == "completed"
    assert report["stages"]["enrichment"] == {"status": "skipped", "progress": 0.0}
    assert report["counts"] == {
        "read": 4, "created": 2, "matched": 0, "added": 2, "alreadyInAudience": 0, "rejected": 2, "skipped": 0,
        "noted": 0, "differing": 0, "suppressed": 0, "emailsFound": 0,
    }  # fmt: skip
    shown = jobs("show", job.id)
    assert "completed, 100 %" in shown.out
    assert f"rows: leadyard jobs rejected {job.id} --account-group {group}\n" in shown.out

    file = tmp_path / "rejected.csv"
    assert (
        jobs("rejected", job.id, "--output", str(file)).out
        == f"Wrote 2 of 2 rejected rows of job {job.id} to {file}.\n"
    )
    printed = jobs("rejected", job.id).out
    assert printed == file.read_bytes().decode()
    rows = list(csv.reader(io.StringIO(printed)))
    assert rows[0] == ["reject_line", "reject_code", "reject_reason", "profileUrl"]
    assert [(row[0], row[1], row[3]) for row in rows[1:]] == [
        ("2", "INVALID_LINKEDIN_URL", "'=HYPERLINK(1)"),
        ("4", "INVALID_LINKEDIN_URL", "nobody"),
    ]
    jobs("rejected", job.id, "--output", str(file)).refused(2, "exists")

    mended = printed.replace("nobody", "https://www.linkedin.com/in/joan")
    file.write_text(mended)
    done = command("import", str(file), "--account-group", group, "--audience", "From URLs", "--json", url=url)
    assert (done.json()["added"], done.json()["rejected"]) == (1, 1)
    kept = run_sql(url, "SELECT custom_fields FROM leads WHERE account_group_id = $1", number_of(group))
    assert all("reject" not in str(row) for row in kept), "our reasons are not data of a person"
    # A row that is rejected again has one reason, not two, and can be corrected again.
    again = (tmp_path / "rejected.rejects.csv").read_text().splitlines()
    assert again[0] == "reject_line,reject_code,reject_reason,profileUrl"
    assert again[1].endswith(",'=HYPERLINK(1)")


def test_the_list_is_newest_first_and_can_be_narrowed(jobs: Callable[..., Outcome], url: str, group: str) -> None:
    assert "No jobs found" in jobs("list").out
    failed = insert_job(url, group, "failed", error_code="UNREADABLE_FILE", error_message="Send it again.")
    done = insert_job(
        url, group, "completed", import_progress=1.0, read_count=12345, matched_count=12345, added_count=12000
    )
    listed = jobs("list", "--json").json()
    assert [item["jobId"] for item in listed["items"]] == [done, failed]
    assert listed["items"][1]["error"] == {"code": "UNREADABLE_FILE", "message": "Send it again."}
    only = jobs("list", "--status", "failed", "--json").json()
    assert ([item["jobId"] for item in only["items"]], only["hasMore"]) == ([failed], False)
    assert jobs("list", "--limit", "1", "--json").json()["hasMore"] is True
    titles, first, *_ = jobs("list").out.splitlines()
    assert titles.split() == ["job", "created", "type", "status", "done", "read", "added", "rejected", "audience"]
    assert "12,345" in first
    assert titles.index("read") + len("read") == first.index("12,345") + len("12,345"), "numbers end under their title"
    assert "More exist" in jobs("list", "--limit", "1").out
    assert "UNREADABLE_FILE: Send it again." in jobs("show", failed).out


@pytest.mark.parametrize("status", ["queued", "running", "completed"])
def test_a_job_that_no_worker_works_on(jobs: Callable[..., Outcome], url: str, group: str, status: str) -> None:
    silent, busy = insert_job(url, group, status), insert_job(url, group, status)
    for job, silent_s in ((silent, 150), (busy, 5)):
        changed_at = now_ms() - silent_s * 1_000
        run_sql(url, "UPDATE jobs SET updated_at = $1 WHERE id = $2", changed_at, key_of(job))
    advice = "No worker has saved anything for 2 minutes. Check that 'leadyard worker' runs."
    assert (advice in jobs("show", silent).out) == (status != "completed")
    assert "worker" not in jobs("show", busy).out


def test_cancelling(jobs: Callable[..., Outcome], url: str, group: str) -> None:
    job = insert_job(url, group, "queued")
    assert f"Job {job} (csv_upload) is cancelled." in jobs("cancel", job).out
    jobs("cancel", job).refused(1, "queued or running", "cancelled")
    assert jobs("cancel", job, "--json").json()["error"]["code"] == "JOB_NOT_CANCELLABLE"
    watched = jobs("watch", job)
    assert (watched.code, watched.err.splitlines()[0][:10]) == (1, "cancelled:")
    assert "is cancelled." in watched.out


@pytest.mark.parametrize("name", ["show", "watch", "cancel", "rejected"])
def test_a_job_that_is_not_there(jobs: Callable[..., Outcome], url: str, name: str, tmp_path: Path) -> None:
    jobs(name, new_id()).refused(1, "job was not found")
    other = command("jobs", name, new_id(), "--account-group", new_id(), url=url)
    other.refused(1, "account group was not found")
    if name == "rejected":
        file = tmp_path / "none.csv"
        jobs(name, new_id(), "--output", str(file)).refused(1, "job was not found")
        assert not file.exists()
        assert jobs(name, new_id(), "--json").code == 2, "standard output cannot contain both"


def watching(url: str, group: str, job: str, **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*LEADYARD, "jobs", "watch", job, "--account-group", group],
        env={**os.environ, "LEADYARD_DATABASE_URL": url, "TERM": "xterm", "COLUMNS": "140"},
        stdout=subprocess.PIPE,
        **streams,
    )


def test_a_bar_on_a_terminal_until_the_job_ends(url: str, group: str) -> None:
    job = insert_job(url, group, "running", import_progress=0.25, read_count=1234, created_count=1234)
    controller, terminal = pty.openpty()
    try:
        process = watching(url, group, job, stderr=terminal)
        os.close(terminal)
        drawn = b""
        while b"1,234 read" not in drawn:
            drawn += os.read(controller, 65_536)
        run_sql(
            url,
            "UPDATE jobs SET status = 'failed' WHERE account_group_id = $1 AND id = $2",
            number_of(group),
            key_of(job),
        )
        out, _ = process.communicate(timeout=30)
    finally:
        os.close(controller)
    assert b"Import" in drawn
    assert b"25 %" in drawn
    assert (process.returncode, b"is failed." in out) == (1, True)


def test_lines_elsewhere_and_an_interrupted_watch_leaves_the_job_running(url: str, group: str) -> None:
    job = insert_job(url, group, "running", import_progress=0.5, read_count=10, created_count=10)
    process = watching(url, group, job, stderr=subprocess.PIPE)
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith(b"running: import 50 %, 10 read, 0 added, 0 rejected"), line
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert f"Job {job} continues".encode() in err
    assert b"Traceback" not in err
    assert run_sql(url, "SELECT status FROM jobs WHERE id = $1", key_of(job)) == [("running",)]
