"""Workers are killed, stopped, suspended or terminated in the middle of an import by several processes."""

from __future__ import annotations

import asyncio
import random
import signal
import threading
import time
from collections.abc import Callable

import apsw
import asyncpg
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from leadyard.ids import key_of
from rig.file_jobs import assert_complete
from rig.jobs import (
    ENDED,
    SEARCH,
    assert_counts,
    assert_not_back,
    job_of,
    start,
    start_import,
    wait_for_end,
)
from rig.providers import TOKEN, made_up, staged_provider
from rig.racing import TORTURE, Session, assert_healthy, wait_until
from rig.service import Tenant, WorkerProcess

# So many batches that work is left after every kill.
ROWS = 200_000 if TORTURE else 40_000
KILLS = 25 if TORTURE else 3
SHORT_LEASE = {"LEADYARD_WORKER_LEASE_S": "2"}
NewWorker = Callable[..., WorkerProcess]

pytestmark = pytest.mark.timeout(1800 if TORTURE else 240)


def lease_of(tenant: Tenant, job_id: str) -> tuple[int, int]:
    """Returns (lease number, failed attempts)."""
    [row] = tenant.sql("SELECT lease_number, failed_attempts FROM jobs WHERE id = $1", key_of(job_id))
    return row


def test_an_import_survives_kill_9_of_its_workers_again_and_again(job_tenant: Tenant, new_worker: NewWorker) -> None:
    chance = random.Random(5)
    job_id = start_import(job_tenant, ROWS)
    count = 3 if TORTURE and job_tenant.service.is_postgresql else 2
    workers = [new_worker(job_tenant.service, **SHORT_LEASE) for _ in range(count)]
    last, kills, deadline = job_of(job_tenant, job_id), 0, time.monotonic() + (1500 if TORTURE else 150)
    read_at_kill = 0
    while last["status"] not in ENDED:
        assert time.monotonic() < deadline, f"{kills} kills, then: {last}"
        time.sleep(0.02)
        now = job_of(job_tenant, job_id)
        assert_not_back(last, now)
        last = now
        if kills < KILLS and now["counts"]["read"] > read_at_kill and now["counts"]["read"] < ROWS * 0.8:
            # Anywhere in a batch, and all workers, because only one of them works and the others wait.
            time.sleep(chance.uniform(0, 0.15))
            for worker in workers:
                worker.kill()
                worker.start()
            kills, read_at_kill = kills + 1, job_of(job_tenant, job_id)["counts"]["read"]

    print(f"\n{kills} kills, lease {lease_of(job_tenant, job_id)[0]}")
    assert kills == KILLS
    assert_complete(job_tenant, last, ROWS)


def nothing_is_locked(tenant: Tenant, job_id: str) -> bool:
    """Returns whether no transaction holds the rows of the job and its audience, nor the only lock of SQLite."""
    with Session(tenant.service.database_url) as session:
        if session.is_postgresql:
            session.begin()
            try:
                held = "SELECT 1 FROM audiences a JOIN jobs j ON j.audience_id = a.id WHERE j.id = $1 FOR UPDATE NOWAIT"
                session.run(held, key_of(job_id))
            except asyncpg.LockNotAvailableError:
                return False
            return True
        session.run("PRAGMA busy_timeout=0")
        try:
            session.begin()
        except apsw.BusyError:
            return False
        session.run("ROLLBACK")
        return True


def has_looked_for_jobs(worker: WorkerProcess) -> bool:
    return any("FROM jobs" in line["sql"] for line in worker.events("statement"))


def put_to_sleep(tenant: Tenant, job_id: str, worker: WorkerProcess) -> None:
    """Stops the worker between two transactions. A worker that is stopped in the middle of one keeps its locks, and all
    others wait for it (PostgreSQL ends it after a minute)."""

    def asleep() -> bool:
        worker.send(signal.SIGSTOP)
        time.sleep(0.02)
        if nothing_is_locked(tenant, job_id):
            return True
        worker.send(signal.SIGCONT)
        time.sleep(0.01)
        return False

    wait_until(asleep, "the worker sleeps without holding a lock")


class HeldUp:
    """A provider that holds back its second page, and the page requested last, until the test releases them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.asked = app, 0
        self.let_go = {2: threading.Event(), 4: threading.Event()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        if event := self.let_go.get(self.asked):
            await asyncio.to_thread(event.wait, 100)
        await self.app(scope, receive, send)


def test_a_worker_that_slept_past_its_lease_is_refused(job_tenant: Tenant, new_worker: NewWorker) -> None:
    """The worker is suspended during the second of three pages, and returns with it while another worker is at the
    third. A worker that waits for its provider holds no lock, whereas one that imports a file nearly always does."""
    people = 300
    with staged_provider(made_up(people)) as stage:
        stage.app = pages = HeldUp(stage.app)
        provider = {
            "LEADYARD_PROVIDER_URL": stage.url,
            "LEADYARD_PROVIDER_TOKEN": TOKEN,
            "LEADYARD_PROVIDER_TIMEOUT_S": "100",
        }
        job_id = start(job_tenant, "linkedin_search", searchUrl=SEARCH.search_url)
        sleeper = new_worker(job_tenant.service, **provider, **SHORT_LEASE)
        wait_until(lambda: pages.asked == 2, "the sleeper requests the second page")
        put_to_sleep(job_tenant, job_id, sleeper)
        assert job_of(job_tenant, job_id)["counts"]["read"] == 100
        # Its own lease is long, so that a machine that stands still for two seconds does not take the job from it as
        # well.
        other = new_worker(job_tenant.service, **provider)
        wait_until(lambda: pages.asked == 4, "the other worker has taken the job, and requests the last page")
        assert lease_of(job_tenant, job_id)[0] == 2
        sleeper.send(signal.SIGCONT)
        pages.let_go[2].set()
        wait_until(lambda: sleeper.events("job_lease_lost"), "the sleeper has noticed")
        assert job_of(job_tenant, job_id)["counts"]["read"] == 200
        pages.let_go[4].set()

        ended = wait_for_end(job_tenant, job_id)
        wait_until(lambda: other.events("job_completed"), "the other worker reports that it has completed the job")

    assert ended["status"] == "completed", ended
    assert_counts(ended, read=people, created=people, matched=0, added=people, alreadyInAudience=0, rejected=0)
    assert len(set(job_tenant.members(ended["audienceId"]))) == people == job_tenant.count(ended["audienceId"])
    assert lease_of(job_tenant, job_id)[0] == 2
    assert_healthy(job_tenant)


@pytest.mark.torture
def test_clocks_that_jump_while_an_import_runs(job_tenant: Tenant, new_worker: NewWorker) -> None:
    """Leases and pauses are moved by an hour, back and forth, while two workers run."""
    rows = 6_000
    job_id = start_import(job_tenant, rows)
    for _ in range(2):
        new_worker(job_tenant.service)
    wait_until(lambda: job_of(job_tenant, job_id)["counts"]["read"] > 0, "work has begun")
    for by_ms in (-3_600_000, 3_600_000, -3_600_000):
        for column in ("lease_until", "ready_at"):
            job_tenant.sql(
                f"UPDATE jobs SET {column} = {column} + $1 WHERE {column} > 0 AND id = $2", by_ms, key_of(job_id)
            )
        time.sleep(0.3)
    assert_complete(job_tenant, wait_for_end(job_tenant, job_id), rows)


def test_sigterm_hands_the_job_back_at_once(job_tenant: Tenant, new_worker: NewWorker) -> None:
    """Also when the provider never answers. The lease would have lasted for minutes."""
    with staged_provider(made_up(10), delay_s=60) as stage:
        provider = {
            "LEADYARD_PROVIDER_URL": stage.url,
            "LEADYARD_PROVIDER_TOKEN": "sk-provider-SECRET",
            "LEADYARD_PROVIDER_TIMEOUT_S": "100",
            "LEADYARD_WORKER_LEASE_S": "300",
        }
        body = {
            "type": "linkedin_search",
            "audience": {"name": "Search"},
            "searchUrl": "https://www.linkedin.com/search/results/people/?keywords=cto",
        }
        job_id = job_tenant.client.post("/prospecting", json=body).json()["data"]["jobId"]
        first = new_worker(job_tenant.service, **provider)
        wait_until(lambda: stage.asked, "the provider got a request")
        second = new_worker(job_tenant.service, **provider)
        wait_until(lambda: has_looked_for_jobs(second), "the second worker looks for jobs")
        assert lease_of(job_tenant, job_id) == (1, 0)
        started = time.monotonic()

        assert first.stop(within_s=30) == 0

        wait_until(lambda: lease_of(job_tenant, job_id) == (2, 0), "the second worker has taken the job")
        # The provider would have answered after a minute, and the lease would have ended even later.
        assert time.monotonic() - started < 45
        second.kill()


@pytest.mark.torture
def test_sigterm_in_the_middle_of_an_import(job_tenant: Tenant, new_worker: NewWorker) -> None:
    rows = 6_000
    job_id = start_import(job_tenant, rows)
    first = new_worker(job_tenant.service)
    wait_until(lambda: job_of(job_tenant, job_id)["counts"]["read"] > 0, "the first works")
    assert first.stop() == 0
    assert job_of(job_tenant, job_id)["status"] == "running"
    [(until, failed)] = job_tenant.sql("SELECT lease_until, failed_attempts FROM jobs WHERE id = $1", key_of(job_id))
    assert (until, failed) == (0, 0)
    new_worker(job_tenant.service)
    assert_complete(job_tenant, wait_for_end(job_tenant, job_id), rows)


def test_cancelling_a_big_import_stops_it_within_a_batch(job_tenant: Tenant, new_worker: NewWorker) -> None:
    # Enough rows that it cannot be over before we look; most of them are never imported.
    rows = 100_000
    job_id = start_import(job_tenant, rows)
    new_worker(job_tenant.service)
    wait_until(lambda: job_of(job_tenant, job_id)["counts"]["read"] > 0, "the import runs")
    answer = job_tenant.client.post(f"/prospecting/{job_id}/cancel")
    assert answer.status_code == 200, answer.text
    at_once = job_of(job_tenant, job_id)
    audience = at_once["audienceId"]
    count = job_tenant.count(audience)
    assert at_once["status"] == "cancelled"
    assert 0 < at_once["counts"]["added"] == count < rows
    assert_counts(at_once, read=count, created=count)
    target = job_tenant.create_audience("Target")
    members = job_tenant.client.get(f"/audiences/{audience}/prospects").json()["data"]["items"]
    assert job_tenant.move(audience, target, [member["id"] for member in members]).status_code == 200

    time.sleep(1.5)

    assert job_of(job_tenant, job_id) == at_once
    assert job_tenant.count(audience) == count - len(members)
    assert_healthy(job_tenant)
