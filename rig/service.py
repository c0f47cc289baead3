"""The real service as a separate process, and the tools that tests need around it: tenants, keys, raw SQL, log
lines."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg
import httpx

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.ids import NUMBER_BITS, id_of, key_of, key_or_none, new_id, number_of
from leadyard.model import Caller, Permission, Profile
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.api_keys import create_api_key
from leadyard.operations.prospects import add_prospects
from leadyard.people.checking import check_profiles
from leadyard.secret_key import SecretKey
from leadyard.store.db import open_database
from rig import kept_connections
from rig.run_folder import free_port, note_secret
from rig.secret_key import SECRET_KEY
from rig.sqlite_file import open_sqlite, run_numbered

R = TypeVar("R")
LEADYARD = (sys.executable, "-m", "leadyard")
# A server that cannot start ends at once, so the test does not wait this long for it.
READY_WITHIN_S = 90


def on_database(url: str, work: Callable[[Database], Awaitable[R]]) -> R:
    """Runs operations or store functions in this process against the database of a service."""

    async def run() -> R:
        db = open_database(url, pool_size=2, wait_s=30, secret_key=SecretKey(SECRET_KEY))
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


def on_shared_database(url: str, work: Callable[[Database], Awaitable[R]]) -> R:
    """The same on a kept connection, which is faster, for work that runs one transaction after the other."""
    return kept_connections.on_kept(url, work) if kept_connections.can_keep(url) else on_database(url, work)


def run_sql(url: str, text: str, *values: Any) -> list[tuple[Any, ...]]:
    """Runs one handwritten statement ($1, $2, … for the values, on both databases) and commits."""
    if url.startswith("sqlite:"):
        with closing(open_sqlite(url)) as connection:
            return run_numbered(connection, text, values)

    if kept_connections.can_keep(url):
        return kept_connections.fetch(url, text, *values)

    async def run() -> list[tuple[Any, ...]]:
        connection: Any = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(text, *values)]
        finally:
            await connection.close()

    return asyncio.run(run())


def leadyard(*arguments: str, url: str, timeout_s: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the operator as a process."""
    return subprocess.run(
        [*LEADYARD, *arguments],
        env={**os.environ, "LEADYARD_DATABASE_URL": url, "LEADYARD_SECRET_KEY": SECRET_KEY, **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def whole_lines(log: Path) -> list[str]:
    """Returns the lines of a log, without a line that is just being written."""
    text = log.read_text(errors="replace")
    return text[: text.rfind("\n") + 1].splitlines()


@dataclass
class Service:
    """`leadyard serve` on a database. Every start writes a new log, with the text of every statement sent.

    The process uses `pooler_url` if it is given, and the tools around it always `database_url`.
    """

    database_url: str
    log_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    program: tuple[str, ...] = LEADYARD
    pooler_url: str = ""

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
            "LEADYARD_SECRET_KEY": SECRET_KEY,
            # Most tests need a job to stay as they have written it. The tests of the worker switch it on.
            "LEADYARD_WORKER_IN_SERVE": "off",
            **self.environment,
            "LEADYARD_DATABASE_URL": self.pooler_url or self.database_url,
        }
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.program, "serve", "--port", str(self.port), *arguments], env=environment, stdout=log, stderr=log
            )
        self._wait_until_ready()
        return self

    def kill(self) -> None:
        """kill -9, at whatever moment."""
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
        """Returns the JSON lines that the service has logged since its last start, including all requests answered by
        now. With `while_busy`, when other clients keep sending, it returns the lines that exist."""
        if not while_busy:
            self._wait_until_idle()
        return [json.loads(line) for line in whole_lines(self.log_file) if line.startswith("{")]

    def doctor(self) -> dict[str, Any]:
        """Returns the report of `leadyard doctor --json`."""
        done = leadyard("doctor", "--json", url=self.database_url)
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if report["healthy"] else 1)
        return report

    def _wait_until_idle(self) -> None:
        """A request is logged after its answer was sent, so a client may have the answer before the line is written.
        The process does not wait in between: when it sleeps, and the log has stopped growing, all lines are written.
        Gives up after a while, and then the lines are read as they are."""
        quiet, size, deadline = 0, -1, time.monotonic() + 3
        while quiet < 3 and time.monotonic() < deadline:
            now = self.log_file.stat().st_size
            quiet = quiet + 1 if now == size and not self._is_at_work() else 0
            size = now
            time.sleep(0.01)

    def _is_at_work(self) -> bool:
        """Returns whether the process is running or runnable. Without /proc, only the log shows whether it works."""
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
                # Sent once, however long the answer takes, because there are tests that count it.
                httpx.get(f"{self.base_url}/v1/accounts", timeout=READY_WITHIN_S)
                return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"serve did not answer within {READY_WITHIN_S} s: {self.log_file.read_text()}")


def stop_together(services: Sequence[Service]) -> None:
    """Stops them all at the same time, because each takes a while."""
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
    program: tuple[str, ...] = LEADYARD

    def start(self, *arguments: str) -> Self:
        assert self.process is None
        self.log_file = self.log_dir / f"worker-{time.time_ns()}.log"
        environment = {
            **os.environ,
            "LEADYARD_LOG_LEVEL": "debug",
            "LEADYARD_SECRET_KEY": SECRET_KEY,
            **self.environment,
            "LEADYARD_DATABASE_URL": self.database_url,
        }
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.program, "worker", *arguments], env=environment, stdout=log, stderr=log
            )
        return self

    def send(self, number: signal.Signals) -> None:
        """SIGSTOP, SIGCONT, SIGTERM."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, at whatever moment, asleep or awake."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def stop(self, *, within_s: float = 15) -> int:
        """SIGTERM. Returns the exit code; fails when it takes longer than `within_s`."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(within_s)
        self.process = None
        return code

    def events(self, name: str) -> list[dict[str, Any]]:
        """Returns the log lines with this event name since its last start."""
        found = [json.loads(line) for line in whole_lines(self.log_file) if line.startswith("{")]
        return [line for line in found if line.get("event") == name]


@dataclass
class Tenant:
    """An account group with a key that has every permission, and the HTTP requests that tests make most."""

    service: Service
    account_group_id: str
    api_key_id: str
    key: str

    def __post_init__(self) -> None:
        self.client = self.new_client()

    @property
    def number(self) -> int:
        """The account group in a handwritten statement."""
        return number_of(self.account_group_id)

    def new_client(self, key: str | None = None) -> httpx.Client:
        """Returns a new client that sends the key, for a thread for example."""
        return httpx.Client(
            base_url=f"{self.service.base_url}/v1/accounts/{self.account_group_id}",
            headers={"Authorization": f"Bearer {key or self.key}"},
            timeout=60,
            # A connection that is refused is tried again, because nothing was sent on it. The requests are plain HTTP,
            # and loading certificates takes longer than most of them.
            transport=httpx.HTTPTransport(retries=1, verify=False),
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
        """Adds `count` people with the addresses PREFIX-N@example.com (new or existing) and returns their ids, in the
        order of N. Does not use HTTP, so that big audiences are quick to make."""

        async def add(db: Database) -> None:
            for start in range(0, count, 1000):
                await add_prospects(
                    db,
                    Caller.operator(self.account_group_id),
                    audience_id=audience_id,
                    checked=check_profiles(
                        [Profile(email=f"{prefix}-{n}@example.com") for n in range(start, min(start + 1000, count))]
                    ),
                )

        on_shared_database(self.service.database_url, add)
        ids = self.ids_by_email(f"{prefix}-%@example.com")
        return [ids[f"{prefix}-{n}@example.com"] for n in range(count)]

    def ids_by_email(self, pattern: str = "%") -> dict[str, str]:
        """Returns e-mail → id of all leads with an e-mail that is LIKE the pattern."""
        asked = "SELECT email, id FROM leads WHERE account_group_id = $1 AND email LIKE $2"
        return {email: id_of(key) for email, key in self.sql(asked, self.number, pattern)}

    def move(
        self, source: str, target: str, lead_ids: Iterable[str], client: httpx.Client | None = None
    ) -> httpx.Response:
        return (client or self.client).post(
            f"/audiences/{source}/move-leads", json={"targetAudienceId": target, "leadIds": list(lead_ids)}
        )

    def copy(self, source: str, target: str, lead_ids: Iterable[str]) -> httpx.Response:
        return self.client.post(
            f"/audiences/{source}/copy-leads", json={"targetAudienceId": target, "leadIds": list(lead_ids)}
        )

    def remove(self, audience_id: str, lead_ids: Iterable[str]) -> httpx.Response:
        return self.client.post(f"/audiences/{audience_id}/remove-leads", json={"leadIds": list(lead_ids)})

    def members(self, audience_id: str, limit: int = 200) -> list[str]:
        """Returns the ids of all leads of the audience, by walking its pages."""
        return [item["id"] for item in self.walk(f"/audiences/{audience_id}/prospects", limit)]

    def walk(self, path: str, limit: int = 200, **query: Any) -> list[dict[str, Any]]:
        """Returns every item of the list, page by page. Pass the query here and not in the path, because httpx would
        drop it there."""
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

    def expect_members_without_record(self) -> None:
        """To the doctor, members that SQL has added with the time 1 are then older than the record of changes."""
        self.sql("UPDATE account_groups SET changes_expired_before = $1 WHERE id = $2", 2 << NUMBER_BITS, self.number)

    def insert_job(self, audience_id: str, status: str = "running", second: str | None = None) -> str:
        """Writes the row of a job on one audience or on two, which are then not ready, and returns the job's id."""
        job_id = new_id()
        self.sql(
            "INSERT INTO jobs (account_group_id, id, type, status, audience_id, second_audience_id, created_at,"
            " updated_at) VALUES ($1, $2, 'url_upload', $3, $4, $5, $6, $6)",
            self.number,
            key_of(job_id),
            status,
            key_of(audience_id),
            key_or_none(second),
            now_ms(),
        )
        return job_id

    def end_job(self, job_id: str, status: str = "completed") -> None:
        self.sql(
            "UPDATE jobs SET status = $1 WHERE account_group_id = $2 AND id = $3", status, self.number, key_of(job_id)
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
    # tests/house/test_nothing_secret_logged.py searches every log of the run for it.
    note_secret(secret)
    return key.id, secret


def make_tenant(service: Service, name: str = "Tenant") -> Tenant:
    """Returns a new account group on the service with a key that has every permission."""
    group = on_shared_database(service.database_url, lambda db: create_account_group(db, name=name))
    key_id, secret = make_key(service.database_url, [group.id])
    return Tenant(service, group.id, key_id, secret)
