"""`leadyard import` to a service: the same people, counts, files and refusals as on the database, over the API."""

from __future__ import annotations

import csv
import gzip
import io
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadyard.model import Permission
from rig.answers import data_of
from rig.jobs import job_of
from rig.people_commands import DOORS, ON_DATABASE, TO_SERVICE, masked, through
from rig.racing import assert_healthy
from rig.service import LEADYARD, Tenant, WorkerProcess, make_tenant

MESSY = (
    "Leads of the fair\n\nFirst Name;Work Email;Home Email;Profile;Notes\n"
    "Ada;n/a;ada@h.example;https://www.linkedin.com/in/ada-l;met at the stand\n"
    'Bob;"bob@w.example, b2@w.example";;;"two\nlines, ""quoted"""\n'
    "Cy;nope;;;\n"
    "Total: 3;;;;\n"
)


@pytest.fixture
def worked(job_tenant: Tenant, new_worker: Callable[..., WorkerProcess]) -> Tenant:
    """A tenant of a service that has a worker."""
    new_worker(job_tenant.service)
    return job_tenant


def test_both_doors_import_the_same(worked: Tenant, tmp_path: Path) -> None:
    file, rejects = tmp_path / "fair.csv", tmp_path / "fair.rejects.csv"
    file.write_text(MESSY)
    options = ("import", str(file), "--audience", "People")
    for form in ([], ["--json"]):
        seen: list[Any] = []
        for door in DOORS:
            tenant = make_tenant(worked.service)
            first = masked(through(tenant, door, *options, *form))
            assert first.code == 0, first
            remarks = list(csv.reader(io.StringIO(rejects.read_text(), newline="")))
            rejects.unlink()
            # The audience exists now, and all people are known.
            again = masked(through(tenant, door, *options, "--on-known", "skip", *form))
            [audience] = tenant.walk("/audiences")
            people = [(each["name"], each["email"]) for each in tenant.walk(f"/audiences/{audience['id']}/prospects")]
            seen.append((first.out, remarks, again.out, audience["name"], audience["prospectCount"], sorted(people)))
            assert_healthy(tenant)
        assert seen[0] == seen[1]
        assert seen[0][4] == 2 and "People" in seen[0][0]
    assert {row[1] for row in seen[0][1]} >= {"reject_code", "INVALID_EMAIL"}


def test_the_change_of_an_import_can_be_undone(worked: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "people.csv.gz"
    file.write_bytes(gzip.compress("".join(["email\n", *(f"p{n}@example.com\n" for n in range(5_000))]).encode()))
    audience = worked.create_audience("Spring")
    done = through(worked, TO_SERVICE, "import", str(file), "--audience", audience, "--json").json()
    assert (done["audience"], done["added"], done["rejectsFile"]) == ({"id": audience, "name": "Spring"}, 5_000, None)
    assert not list(tmp_path.glob("*.rejects.csv"))
    undone = through(worked, TO_SERVICE, "changes", "undo", done["changeId"], "--json").json()
    assert undone["undoneCount"] == 5_000 and worked.count(audience) == 0


def test_a_file_of_which_every_row_is_rejected_fails(worked: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email,name\nnope,Ada\n,Bob\n")
    outcomes = [masked(through(worked, door, "import", str(file), "--audience", door, "--json")) for door in DOORS]
    assert [each.code for each in outcomes] == [1, 1]
    here, there = (each.json() for each in outcomes)
    assert here["rejected"] == there["rejected"] == 2 and here["rejectsFile"] == there["rejectsFile"]


def test_options_reach_the_service(worked: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "people.txt"
    file.write_bytes("Kundennr|Büro|Name\n1|a@x.example|Zoë\n2|b@x.example|Bob\n".encode("cp1252"))
    options = ["--encoding", "cp1252", "--delimiter", "|", "--identity-column", "Kundennr", "--map", "email=Büro"]
    done = through(worked, TO_SERVICE, "import", str(file), "--audience", "A", *options, "--json").json()
    people = worked.walk(f"/audiences/{done['audience']['id']}/prospects")
    assert {(each["providerId"], each["email"], each["name"]) for each in people} == {
        ("1", "a@x.example", "Zoë"),
        ("2", "b@x.example", "Bob"),
    }
    refused = through(worked, TO_SERVICE, "import", str(file), "--audience", "A", "--where", "Name=Bob")
    assert refused.code == 2 and "--where works only on the database" in " ".join(refused.err.split())


def test_both_doors_preview_the_same(job_tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "fair.csv"
    file.write_text(MESSY)
    for form in ([], ["--json"]):
        here, there = (
            through(job_tenant, door, "import", str(file), "--audience", "People", "--dry-run", *form) for door in DOORS
        )
        assert (here.code, there.code) == (0, 0)
        # The objects have their fields in another order.
        assert here.json() == there.json() if form else here.out == there.out
    assert job_tenant.walk("/audiences") == [] and data_of(job_tenant.client.get("/prospecting"))["items"] == []


def test_standard_input_and_a_stop_while_the_job_waits(job_tenant: Tenant) -> None:
    """No worker runs, so the job waits. It continues when the command is stopped."""
    process = subprocess.Popen(
        [*LEADYARD, "import", "-", "--audience", "Piped", "--account-group", job_tenant.account_group_id],
        env={**os.environ, "LEADYARD_URL": job_tenant.service.base_url, "LEADYARD_API_KEY": job_tenant.key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    rescue = threading.Timer(60, process.kill)
    rescue.start()
    try:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write("email\nada@example.org\n")
        process.stdin.close()
        assert process.stderr.readline() == "queued: waiting for a worker\n"
        process.send_signal(signal.SIGINT)
        process.wait(20)
        told = process.stderr.read()
    finally:
        rescue.cancel()
        process.kill()
    [job] = data_of(job_tenant.client.get("/prospecting"))["items"]
    assert process.returncode == 130 and job["status"] == "queued"
    assert f"Job {job['jobId']} continues. Next: leadyard jobs watch {job['jobId']}" in told
    assert "Traceback" not in told
    busy = through(job_tenant, TO_SERVICE, "import", "nowhere.csv", "--audience", "Piped", "--json")
    assert busy.json()["error"]["code"] == "AUDIENCE_NOT_READY"
    cancelled = through(job_tenant, TO_SERVICE, "jobs", "cancel", job["jobId"], "--json").json()["job"]
    assert cancelled["status"] == job_of(job_tenant, job["jobId"])["status"] == "cancelled"


def test_a_job_that_fails_is_a_refusal(worked: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "people.csv.gz"
    packed = gzip.compress("".join(["email\n", *(f"{n}@{n * n}.example\n" for n in range(30_000))]).encode())
    file.write_bytes(packed[: len(packed) // 2])
    done = through(worked, TO_SERVICE, "import", str(file), "--audience", "A", "--json")
    error = done.json()["error"]
    assert (done.code, error["code"]) == (1, "UNREADABLE_FILE")
    assert job_of(worked, error["jobId"])["error"] == {name: error[name] for name in ("code", "message")}
    assert f"leadyard jobs show {error['jobId']}" in error["details"]
    assert worked.count(error["audienceId"]) > 0


def test_a_key_that_may_not_import_is_refused_before_the_upload(job_tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email\nada@example.org\n")
    reader = job_tenant.key_with(Permission.AUDIENCES_READ)
    refused = through(job_tenant, TO_SERVICE, "import", str(file), "--audience", "A", key=reader)
    refused.refused(1, "prospecting:write")
    assert through(job_tenant, ON_DATABASE, "audiences", "list").out == "No audiences found.\n"
