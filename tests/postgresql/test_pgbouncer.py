"""The service behind a real PgBouncer in transaction mode."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from rig.commands import command
from rig.everyday import use_everything, widen_tables
from rig.jobs import assert_counts, job_of, start_import, wait_for_end
from rig.moving import at_work
from rig.pgbouncer import PgBouncer
from rig.racing import Session, assert_healthy, on_postgresql_only, wait_until
from rig.service import Service, Tenant, WorkerProcess, make_tenant
from rig.tcp_postgres import TcpPostgres
from rig.watching import admin_url
from tests.migrations.schema_of import schema_of

pytestmark = [pytest.mark.needs_pgbouncer, on_postgresql_only, pytest.mark.timeout(240)]
POOLED = {"LEADYARD_DATABASE_POOLER": "transaction"}
ROWS = 12_000
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Pooled:
    """An empty database whose owner is no superuser, and a pooler in front of it."""

    pgbouncer: PgBouncer
    name: str

    @property
    def url(self) -> str:
        """The URL of the pooler."""
        return self.pgbouncer.url_of("leadyard", self.name)

    @property
    def direct_url(self) -> str:
        return self.pgbouncer.server.url_of(self.name).replace("//postgres:", "//leadyard:")

    def run(self, *arguments: str, **environment: Any) -> str:
        """Returns what the command prints; it must succeed."""
        done = command(*arguments, url=self.url, **{**POOLED, **environment})
        assert done.code == 0, done
        return done.out

    def refused(self, *arguments: str, **environment: Any) -> str:
        """Returns the sentence of the refusal."""
        done = command(*arguments, url=self.url, **environment)
        assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 2), done
        return done.err

    def migrated(self) -> Pooled:
        self.run("migrate", "--role-settings")
        return self


@pytest.fixture
def pgbouncer(server: TcpPostgres) -> Iterator[PgBouncer]:
    with PgBouncer(server, "leadyard") as started:
        yield started


@pytest.fixture
def pooled(server: TcpPostgres, pgbouncer: PgBouncer) -> Pooled:
    number = next(_numbers)
    if number == 1:
        server.execute(f"CREATE ROLE leadyard LOGIN PASSWORD '{server.password}'")
    server.execute(f"CREATE DATABASE leadyard_{number} OWNER leadyard")
    return Pooled(pgbouncer, f"leadyard_{number}")


@pytest.fixture
def start_service(log_dir: Path) -> Iterator[Callable[[Pooled], Service]]:
    """A function that starts a service on the URL of the pooler."""
    services: list[Service] = []

    def make(pooled: Pooled) -> Service:
        service = Service(pooled.direct_url, log_dir, {**POOLED, "LEADYARD_ADMIN_PORT": "0"}, pooler_url=pooled.url)
        services.append(service)
        return service.start()

    yield make
    for service in services:
        service.stop()


@pytest.fixture
def start_worker(log_dir: Path) -> Iterator[Callable[[Pooled], WorkerProcess]]:
    """A function that starts a worker on the URL of the pooler."""
    workers: list[WorkerProcess] = []

    def make(pooled: Pooled) -> WorkerProcess:
        workers.append(WorkerProcess(pooled.url, log_dir, {**POOLED, "LEADYARD_WORKER_LEASE_S": "2"}))
        return workers[-1].start()

    yield make
    for worker in workers:
        worker.kill()


def test_a_pooler_is_noticed(pooled: Pooled) -> None:
    pooled.migrated()
    for each in ("migrate", "serve --port 0", "worker", "doctor", "account-groups list"):
        assert "Set LEADYARD_DATABASE_POOLER=transaction" in pooled.refused(*each.split())


def test_migrations_run_through_it_as_often_as_wanted(pooled: Pooled, server: TcpPostgres) -> None:
    assert "Migrated from an empty database" in pooled.run("migrate")
    for _ in range(3):
        assert "The schema is current" in pooled.run("migrate")
    server.execute(f"CREATE DATABASE {pooled.name}_direct OWNER leadyard")
    direct = Pooled(pooled.pgbouncer, f"{pooled.name}_direct")
    assert command("migrate", url=direct.direct_url).code == 0
    assert schema_of(pooled.direct_url) == schema_of(direct.direct_url)


def test_sessions_without_the_settings_are_refused_until_the_role_has_them(pooled: Pooled) -> None:
    pooled.run("migrate")
    for each in ("serve --port 0", "worker", "doctor"):
        sentence = pooled.refused(*each.split(), **POOLED)
        assert "lack settings: " in sentence
        assert "jit = off" in sentence
        assert "Run 'leadyard migrate --role-settings'." in sentence
    assert "Set jit = off for the role" in pooled.run("migrate", "--role-settings")
    pooled.run("doctor")


def test_a_session_that_another_client_has_changed_is_refused(pooled: Pooled) -> None:
    pooled.migrated()
    with Session(pooled.url) as other:
        other.run("SET statement_timeout = '7s'")
    sentence = pooled.refused("doctor", **POOLED)
    assert "lack settings: statement_timeout = 60s. The role has them" in sentence
    assert "RECONNECT" in sentence
    pooled.pgbouncer.reconnect()
    pooled.run("doctor")


def test_sessions_that_are_older_than_the_settings_are_refused(pooled: Pooled) -> None:
    pooled.run("migrate")
    assert command("migrate", "--role-settings", url=pooled.direct_url).code == 0
    assert "RECONNECT" in pooled.refused("doctor", **POOLED)
    pooled.pgbouncer.reconnect()
    pooled.run("doctor")


def test_nothing_is_lost_when_it_is_restarted(
    pooled: Pooled, start_service: Callable[[Pooled], Service], start_worker: Callable[[Pooled], WorkerProcess]
) -> None:
    """Once it is killed, and once it ends after the transactions that are running."""
    service, worker = start_service(pooled.migrated()), start_worker(pooled)
    pgbouncer, tenant = pooled.pgbouncer, make_tenant(service)
    job = start_import(tenant, ROWS)
    with at_work(service, small=3, big=500) as scene:
        for end in (pgbouncer.kill, pgbouncer.stop):
            read = job_of(tenant, job)["counts"]["read"]
            end()
            assert not is_listed(tenant)
            pgbouncer.start()
            scene.wait_for_success()
            wait_until(lambda: is_listed(tenant), "lists work again")
            wait_until(lambda read=read: job_of(tenant, job)["counts"]["read"] > read, "the job goes on")  # type: ignore[misc]
    ended = wait_for_end(tenant, job, within_s=120)
    assert ended["status"] == "completed"
    assert_counts(ended, read=ROWS, created=ROWS, added=ROWS)
    assert len(set(tenant.members(ended["audienceId"]))) == ROWS
    assert worker.process is not None and worker.process.poll() is None
    assert_healthy(tenant)
    assert '"healthy": true' in pooled.run("doctor", "--json")


def test_requests_wait_for_a_connection_when_it_takes_no_more_clients(
    server: TcpPostgres, pooled: Pooled, start_service: Callable[[Pooled], Service]
) -> None:
    pooled.migrated()
    with PgBouncer(server, "leadyard", max_client_conn="3") as small:
        service = start_service(Pooled(small, pooled.name))
        with at_work(service, **{f"mover{n}": 2 for n in range(6)}) as scene:
            answers = [scene.tenant.client.get("/audiences").status_code for _ in range(20)]
            assert httpx.get(f"{admin_url(service)}/readyz").status_code == 200
        assert set(answers) == {200}
        assert {code for mover in scene.movers for code in mover.told} == {"200"}
        assert "max_client_conn" in small.log()


def test_its_sessions_are_free_after_an_import(
    pooled: Pooled, start_service: Callable[[Pooled], Service], start_worker: Callable[[Pooled], WorkerProcess]
) -> None:
    """PgBouncer 1.26 never takes a session back from a client that has used COPY, and it has four sessions."""
    service = start_service(pooled.migrated())
    for _ in range(3):
        start_worker(pooled)
    tenant = make_tenant(service)
    jobs = [start_import(tenant, 500, prefix=f"file{n}") for n in range(8)]
    for job in jobs:
        assert_counts(wait_for_end(tenant, job), read=500, created=500)
    with ExitStack() as stack:
        for borrower in [stack.enter_context(Session(pooled.url)) for _ in range(4)]:
            borrower.begin()
            # PgBouncer needs a moment until it has taken all sessions back, and then lends this one as well.
            assert borrower.run("SELECT 1") == [(1,)]


def is_listed(tenant: Tenant) -> bool:
    """Returns whether the service lists audiences; fails if it refuses in another way than with 503."""
    try:
        answer = tenant.client.get("/audiences")
    except httpx.TransportError as error:
        raise AssertionError("the service has not answered") from error
    assert answer.status_code in (200, 503), answer.text
    return answer.status_code == 200


def test_an_upgrade_needs_no_pause(
    pooled: Pooled, start_service: Callable[[Pooled], Service], start_worker: Callable[[Pooled], WorkerProcess]
) -> None:
    """A migration adds columns while an old process is running, and then a new process starts beside it. PgBouncer, if
    it can, keeps prepared statements; none of ours is among them, so its sessions need no RECONNECT."""
    old = start_service(pooled.migrated())
    start_worker(pooled)
    tenant = make_tenant(old)
    with at_work(old, moved=10):
        use_everything(tenant)
        widen_tables(pooled.direct_url)
        new = start_service(pooled)
        for service in (old, new):
            tenant = make_tenant(service)
            for job in use_everything(tenant):
                assert wait_for_end(tenant, job)["status"] == "completed"
            assert_healthy(tenant)
    pooled.run("doctor")
