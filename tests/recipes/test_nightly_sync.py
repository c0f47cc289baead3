"""The recipe for cron, as cron would run it: against the real service, and against servers that fail in its way."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from leadyard.model import Permission
from rig.service import Service, Tenant, make_tenant

RECIPE = Path(__file__).parents[2] / "recipes" / "nightly_sync.py"
CONTACTS = "Name,Email,Title\nAda Lovelace,ada@engines.example,Analyst\nGrace Hopper,grace@navy.example,Admiral\n"
NO_ONE_LISTENS = "http://127.0.0.1:9"


@pytest.fixture(scope="session")
def sync_service(new_service: Callable[..., Service]) -> Service:
    """A service that runs jobs itself."""
    return new_service(LEADYARD_WORKER_IN_SERVE="on")


@pytest.fixture
def night(sync_service: Service, tmp_path: Path) -> Iterator[Night]:
    tenant = make_tenant(sync_service)
    yield Night(tenant, tmp_path / "contacts.csv")
    tenant.client.close()


class Night:
    """A list, and the file that the CRM has written."""

    def __init__(self, tenant: Tenant, file: Path) -> None:
        self.tenant = tenant
        self.key = tenant.key_with(Permission.PROSPECTING_READ, Permission.PROSPECTING_WRITE)
        self.audience = tenant.create_audience("Customers")
        self.file = file
        self.file.write_text(CONTACTS)

    def command(self, *more: str) -> list[str]:
        ids = ("--account-group", self.tenant.account_group_id, "--audience", self.audience)
        return [sys.executable, str(RECIPE), str(self.file), *ids, *more]

    def environment(self, url: str = "") -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LEADYARD_URL": url or self.tenant.service.base_url,
            "LEADYARD_API_KEY": self.key,
        }

    def run(self, *more: str, url: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*more),
            env=self.environment(url),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def jobs(self) -> int:
        return len(self.tenant.walk("/prospecting"))


def test_a_night_and_the_night_after(night: Night) -> None:
    first = night.run()
    assert (first.returncode, first.stderr) == (0, "")
    assert "read 2, added 2, rejected 0" in first.stdout
    night.file.write_text(CONTACTS.replace("Admiral", "Rear admiral") + "Ida Ross,ida@ross.example,Buyer\n")
    second = night.run()
    assert (second.returncode, second.stderr) == (0, "")
    assert "read 3, added 1, rejected 0" in second.stdout
    people = night.tenant.walk(f"/audiences/{night.audience}/prospects")
    assert {each["title"] for each in people} == {"Analyst", "Rear admiral", "Buyer"}
    assert night.tenant.count(night.audience) == 3


def test_the_same_file_on_the_same_day_is_one_job(night: Night) -> None:
    first, second = night.run(), night.run()
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout == second.stdout
    assert night.jobs() == 1
    assert night.run("--again").returncode == 0
    assert night.jobs() == 2


def test_a_run_that_was_killed_is_continued(night: Night) -> None:
    rows = "".join(f"Person {n},person-{n}@example.com,Buyer\n" for n in range(20_000))
    night.file.write_text(CONTACTS + rows)
    process = subprocess.Popen(night.command(), env=night.environment(), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while night.jobs() == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait(10)
    done = night.run()
    assert done.returncode == 0, done.stderr
    assert "read 20002, added 20002" in done.stdout
    assert night.jobs() == 1


def test_rejected_rows_are_in_a_file_beside_it(night: Night) -> None:
    night.file.write_text(CONTACTS + "Bob,not an address,\n")
    done = night.run()
    assert done.returncode == 3
    assert "read 3, added 2, rejected 1" in done.stderr
    rejects = night.file.with_suffix(".rejects.csv").read_text()
    assert "INVALID_EMAIL" in rejects
    assert "not an address" in rejects


def test_two_runs_at_once(night: Night) -> None:
    with night.file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = night.run()
    assert second.returncode == 75
    assert "Another run" in second.stderr
    assert night.jobs() == 0
    assert night.run().returncode == 0, "the lock file stays, and locks nothing by itself"


def test_refusals_are_for_a_person(night: Night) -> None:
    night.file.write_text("Name\nAda\n")
    refused = night.run()
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "NOBODY_IDENTIFIED" in refused.stderr
    night.file.write_text(CONTACTS)
    night.key = "sk_live_wrong"
    assert "UNAUTHORIZED" in night.run().stderr


def test_wrong_arguments(night: Night) -> None:
    assert night.run("--verbose").returncode == 2
    night.file.unlink()
    missing = night.run()
    assert (missing.returncode, "There is no file" in missing.stderr) == (2, True)


def test_a_service_that_is_away(night: Night) -> None:
    away = night.run("--patience", "1", url=NO_ONE_LISTENS)
    assert away.returncode == 75
    assert "did not answer" in away.stderr


def test_a_busy_list_is_waited_for(job_tenant: Tenant, tmp_path: Path) -> None:
    """No worker runs for this service, so the job that has the list does not end by itself."""
    night = Night(job_tenant, tmp_path / "contacts.csv")
    job_id = job_tenant.insert_job(night.audience)
    impatient = night.run("--patience", "2")
    assert (impatient.returncode, "answered 409" in impatient.stderr) == (75, True)
    job_tenant.end_job(job_id)
    patient = night.run("--patience", "2")
    assert (patient.returncode, "is queued" in patient.stderr) == (75, True), "the list is free, and no worker runs"
    assert night.jobs() == 2


class Lossy(ThreadingHTTPServer):
    """Passes requests on to the service, and loses the first answer to each POST. It is what a broken network does."""

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), _Losing)
        self.service = service
        self.lost: set[str] = set()
        self.keys: list[str] = []


class _Losing(BaseHTTPRequestHandler):
    server: Lossy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.keys.append(self.headers["Idempotency-Key"])
        self._pass_on(body)

    def do_GET(self) -> None:
        self._pass_on(None)

    def _pass_on(self, body: bytes | None) -> None:
        import httpx

        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        answer = httpx.request(self.command, self.server.service.base_url + self.path, headers=headers, content=body)
        if body is not None and self.path not in self.server.lost:
            self.server.lost.add(self.path)
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent."""


def test_lost_answers_make_no_second_job(night: Night) -> None:
    with Lossy(night.tenant.service) as between:
        thread = threading.Thread(target=between.serve_forever, daemon=True)
        thread.start()
        done = night.run(url=f"http://127.0.0.1:{between.server_address[1]}")
        between.shutdown()
        thread.join(10)
    assert done.returncode == 0, done.stderr
    assert len(between.lost) == 2
    assert len(between.keys) == 4, "each of the two requests was sent twice"
    assert len(set(between.keys)) == 2, "with the same key"
    assert night.jobs() == 1
    assert night.tenant.count(night.audience) == 2
