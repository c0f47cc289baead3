"""The real service as a process of its own, and the tools tests need around it: tenants, keys, raw SQL, log lines."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg
import httpx

from leadyard.clock import now_ms
from leadyard.ids import new_id
from leadyard.model import Caller, Permission, Profile
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.api_keys import create_api_key
from leadyard.operations.prospects import add_prospects
from leadyard.store.db import Database, open_database
from tests import kept_connections
from tests.run_folder import free_port, note_secret

R = TypeVar("R")
LEADYARD = (sys.executable, "-m", "leadyard")
# One that does not start at all ends, and is not waited for.
READY_WITHIN_S = 90


def on_database(url: str, work: Callable[[Database], Awaitable[R]]) -> R:
    """Runs operations or store functions of this very process against the database of a service."""

    async def run() -> R:
        db = open_database(url, pool_size=2, wait_s=30)
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


def on_shared_database(url: str, work: Callable[[Database], Awaitable[R]]) -> R:
    """The same, sooner, for work that runs one transaction after the other."""
    return kept_connections.on_kept(url, work) if kept_connections.can_keep(url) else on_database(url, work)


def run_sql(url: str, text: str, *values: Any) -> list[tuple[Any, ...]]:
    """Runs one statement written by hand ($1, $2, … for the values, on both databases) and commits."""
    if url.startswith("sqlite:"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            return connection.execute(_numbered(text, len(values)), values).fetchall()
        finally:
            connection.close()

    if kept_connections.can_keep(url):
        return kept_connections.fetch(url, text, *values)

    async def run() -> list[tuple[Any, ...]]:
        connection: Any = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(text, *values)]
        finally:
            await connection.close()

    return asyncio.run(run())


def _numbered(text: str, count: int) -> str:
    for number in range(count, 0, -1):
        text = text.replace(f"${number}", f"?{number}")
    return text


def leadyard(*arguments: str, url: str, timeout_s: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the operator as a process."""
    return subprocess.run(
        [*LEADYARD, *arguments],
        env={**os.environ, "LEADYARD_DATABASE_URL": url, **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def whole_lines(log: Path) -> list[str]:
    """Returns the lines of a log, without one that is just being written."""
    text = log.read_text(errors="replace")
    return text[: text.rfind("\n") + 1].splitlines()


@dataclass
class Service:
    """`leadyard serve` on a database. Every start writes a log of its own, with the text of every statement sent."""

    database_url: str
    log_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_postgresql(self) -> bool:
        return self.database_url.startswith("postgres")

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str) -> Self:
        assert self.process is None
        self.port = self.port or free_port()
        self.log_file = self.log_dir / f"serve-{time.time_ns()}.log"
        environment = {
            **os.environ,
            "LEADYARD_LOG_LEVEL": "debug",
            "LEADYARD_RATE_LIMITS": "off",
            # Most tests want a job to stay as they have written it; those of the worker switch it on.
            "LEADYARD_WORKER_IN_SERVE": "off",
            **self.environment,
            "LEADYARD_DATABASE_URL": self.database_url,
        }
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*LEADYARD, "serve", "--port", str(self.port), *arguments], env=environment, stdout=log, stderr=log
            )
        self._wait_until_ready()
        return self

    def kill(self) -> None:
        """kill -9, in the middle of whatever it is doing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
            self.process = None

    def log_lines(self, *, while_busy: bool = False) -> list[dict[str, Any]]:
        """Returns the JSON lines the service has logged since it was last started, for everything answered by now; or
        what there is `while_busy`, when others keep asking."""
        if not while_busy:
            self._wait_until_idle()
        return [json.loads(line) for line in whole_lines(self.log_file) if line.startswith("{")]

    def doctor(self) -> dict[str, Any]:
        """Returns what `leadyard doctor --json` says."""
        done = leadyard("doctor", "--json", url=self.database_url)
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if report["healthy"] else 1)
        return report

    def _wait_until_idle(self) -> None:
        """A request is logged once its answer is on the way, so a client may have it before the line is written. The
        process does that without waiting for anything: when it sleeps, and the log has stopped growing, all is written.
        Gives up after a while, and then the lines are looked at as they are."""
        quiet, size, deadline = 0, -1, time.monotonic() + 3
        while quiet < 3 and time.monotonic() < deadline:
            now = self.log_file.stat().st_size
            quiet = quiet + 1 if now == size and not self._is_at_work() else 0
            size = now
            time.sleep(0.01)

    def _is_at_work(self) -> bool:
        """Returns whether the process runs or wants to; where that cannot be asked, only the log tells."""
        if self.process is None:
            return False
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return False
        return fields[0] in "RD"

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended with {self.process.returncode}: {self.log_file.read_text()}")
            try:
                # Asked once, however long the answer takes: there are tests that count it.
                httpx.get(f"{self.base_url}/v1/accounts", timeout=READY_WITHIN_S)
                return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"serve did not answer within {READY_WITHIN_S} s: {self.log_file.read_text()}")


def stop_together(services: Sequence[Service]) -> None:
    """Stops them all at once, for each takes its time."""
    if services:
        with ThreadPoolExecutor(len(services)) as pool:
            list(pool.map(Service.stop, services))


@dataclass
class WorkerProcess:
    """`leadyard worker` on the database of a service, with the text of every statement in its log."""

    database_url: str
    log_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> Self:
        assert self.process is None
        self.log_file = self.log_dir / f"worker-{time.time_ns()}.log"
        environment = {
            **os.environ,
            "LEADYARD_LOG_LEVEL": "debug",
            **self.environment,
            "LEADYARD_DATABASE_URL": self.database_url,
        }
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen([*LEADYARD, "worker", *arguments], env=environment, stdout=log, stderr=log)
        return self

    def send(self, number: signal.Signals) -> None:
        """SIGSTOP, SIGCONT, SIGTERM."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, in the middle of whatever it is doing, asleep or awake."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def stop(self, *, within_s: float = 15) -> int:
        """SIGTERM. Returns the exit code; fails when it takes longer than that."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(within_s)
        self.process = None
        return code

    def events(self, name: str) -> list[dict[str, Any]]:
        """Returns what it has logged under that name since it was last started."""
        found = [json.loads(line) for line in whole_lines(self.log_file) if line.startswith("{")]
        return [line for line in found if line.get("event") == name]


@dataclass
class Tenant:
    """An account group with a key that may do everything, and the HTTP requests tests make most."""

    service: Service
    account_group_id: str
    api_key_id: str
    key: str

    def __post_init__(self) -> None:
        self.client = self.new_client()

    def new_client(self, key: str | None = None) -> httpx.Client:
        """Returns a client of its own, for a thread for example, that sends the key."""
        return httpx.Client(
            base_url=f"{self.service.base_url}/v1/accounts/{self.account_group_id}",
            headers={"Authorization": f"Bearer {key or self.key}"},
            timeout=60,
            verify=False,  # It speaks plain HTTP, and loading certificates takes longer than most requests.
        )

    def key_with(self, *permissions: Permission, **rest: Any) -> str:
        """Returns the secret of another key of this group."""
        return make_key(self.service.database_url, [self.account_group_id], permissions, **rest)[1]

    def create_audience(self, name: str = "Audience", type: str = "on_demand") -> str:
        answer = self.client.post("/audiences", json={"name": name, "type": type})
        assert answer.status_code == 201, answer.text
        audience_id: str = answer.json()["data"]["id"]
        return audience_id

    def add_leads(self, audience_id: str, count: int, prefix: str = "lead") -> list[str]:
        """Brings in `count` people known as PREFIX-N@example.com (new ones or known ones) and returns their ids, in
        the order of N. Goes past HTTP so that big audiences are quick to make."""

        async def add(db: Database) -> None:
            for start in range(0, count, 1000):
                await add_prospects(
                    db,
                    Caller.operator(self.account_group_id),
                    audience_id=audience_id,
                    profiles=[
                        Profile(email=f"{prefix}-{n}@example.com") for n in range(start, min(start + 1000, count))
                    ],
                )

        on_shared_database(self.service.database_url, add)
        found = self.sql(
            "SELECT email, id FROM leads WHERE account_group_id = $1 AND email LIKE $2",
            self.account_group_id,
            f"{prefix}-%@example.com",
        )
        id_of = dict(found)
        return [id_of[f"{prefix}-{n}@example.com"] for n in range(count)]

    def move(
        self, source: str, target: str, lead_ids: Iterable[str], client: httpx.Client | None = None
    ) -> httpx.Response:
        return (client or self.client).post(
            f"/audiences/{source}/move-leads", json={"targetAudienceId": target, "leadIds": list(lead_ids)}
        )

    def members(self, audience_id: str, limit: int = 200) -> list[str]:
        """Returns the ids of all leads of the audience, by walking its pages."""
        return [item["id"] for item in self.walk(f"/audiences/{audience_id}/prospects", limit)]

    def walk(self, path: str, limit: int = 200, **query: Any) -> list[dict[str, Any]]:
        """Returns every item of the list, page by page. The query goes here, not into the path: httpx would drop it."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            answer = self.client.get(path, params={"limit": limit, **query, **({"cursor": cursor} if cursor else {})})
            assert answer.status_code == 200, answer.text
            data = answer.json()["data"]
            items += data["items"]
            cursor = data["nextCursor"]
            assert data["hasMore"] == (cursor is not None)
            if cursor is None:
                return items

    def count(self, audience_id: str) -> int:
        answer = self.client.get(f"/audiences/{audience_id}")
        assert answer.status_code == 200, answer.text
        count: int = answer.json()["data"]["prospectCount"]
        return count

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        return run_sql(self.service.database_url, text, *values)

    def insert_job(self, audience_id: str, status: str = "running") -> str:
        """Writes the job row that turns an audience into one being populated, the way a job's start will."""
        job_id = new_id()
        self.sql(
            "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
            " VALUES ($1, $2, 'url_upload', $3, $4, $5, $5)",
            self.account_group_id,
            job_id,
            status,
            audience_id,
            now_ms(),
        )
        return job_id

    def end_job(self, job_id: str, status: str = "completed") -> None:
        self.sql(
            "UPDATE jobs SET status = $1 WHERE account_group_id = $2 AND id = $3", status, self.account_group_id, job_id
        )


def make_key(
    url: str,
    account_group_ids: Sequence[str],
    permissions: Iterable[Permission] = tuple(Permission),
    *,
    expires_at: int | None = None,
) -> tuple[str, str]:
    """Returns (id, secret) of a new key."""
    key, secret = on_shared_database(
        url,
        lambda db: create_api_key(
            db,
            name="test",
            account_group_ids=account_group_ids,
            permissions=tuple(permissions),
            expires_at=expires_at,
        ),
    )
    # tests/house/test_nothing_secret_logged.py looks for it in every log of the run.
    note_secret(secret)
    return key.id, secret


def make_tenant(service: Service, name: str = "Tenant") -> Tenant:
    """Returns a fresh account group on the service with a key that may do everything."""
    group = on_shared_database(service.database_url, lambda db: create_account_group(db, name=name))
    key_id, secret = make_key(service.database_url, [group.id])
    return Tenant(service, group.id, key_id, secret)
