"""PostgreSQL goes away while workers run and comes back: they continue without help."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from leadyard.ids import key_of
from rig.jobs import assert_counts, job_of, start_import, wait_for_end
from rig.racing import Session, assert_healthy, on_postgresql_only, wait_until
from rig.service import Tenant, WorkerProcess, run_sql

ROWS = 8_000
LOCK = "SELECT id FROM audiences WHERE id = $1 FOR UPDATE"
# For the audience only: the housekeeping may wait for something else.
WAITING = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    AND query LIKE '%FROM audiences%UPDATE%'"""

pytestmark = [on_postgresql_only, pytest.mark.usefixtures("backend"), pytest.mark.timeout(240)]


def test_workers_go_on_after_their_database_was_away(
    job_tenant: Tenant, new_worker: Callable[..., WorkerProcess], postgres_url: str
) -> None:
    """All connections are cut, and for three seconds PostgreSQL refuses new ones, as it does while a server is
    restarted."""
    job_id = start_import(job_tenant, ROWS)
    audience = job_of(job_tenant, job_id)["audienceId"]
    with Session(job_tenant.service.database_url) as holder, Session(job_tenant.service.database_url) as next_one:
        # The first batch goes on after it waited for the audience. The second is still waiting when all connections are
        # cut.
        holder.begin()
        holder.run(LOCK, key_of(audience))
        worker = new_worker(job_tenant.service, LEADYARD_WORKER_LEASE_S="2", LEADYARD_DATABASE_WAIT_S="1")
        wait_until(lambda: job_tenant.sql(WAITING) == [(1,)], "the first batch waits for the audience")
        with ThreadPoolExecutor(1) as pool:
            next_one.begin()
            locking = pool.submit(next_one.run, LOCK, key_of(audience))
            wait_until(lambda: job_tenant.sql(WAITING) == [(2,)], "we wait behind the first batch")
            holder.commit()
            locking.result()
        wait_until(lambda: job_tenant.sql(WAITING) == [(1,)], "the second batch waits for the audience")
        before = job_of(job_tenant, job_id)
        cut_off(job_tenant, worker, postgres_url)

    ended = wait_for_end(job_tenant, job_id)
    assert 0 < before["counts"]["read"] < ROWS
    assert ended["status"] == "completed"
    assert_counts(ended, read=ROWS, created=ROWS, added=ROWS)
    assert worker.process is not None and worker.process.poll() is None
    assert job_tenant.count(ended["audienceId"]) == ROWS
    assert_healthy(job_tenant)


def cut_off(tenant: Tenant, worker: WorkerProcess, postgres_url: str) -> None:
    name = urlsplit(tenant.service.database_url).path.removeprefix("/")
    run_sql(postgres_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        run_sql(postgres_url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        time.sleep(3)
        assert worker.process is not None
        assert worker.process.poll() is None, "the worker has died with its database"
    finally:
        run_sql(postgres_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
