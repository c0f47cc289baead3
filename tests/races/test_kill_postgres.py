"""kill -9 of PostgreSQL's processes in the middle of moves: the service says so, recovers by itself, loses nothing."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from leadyard.store import schema
from tests.racing import (
    TORTURE,
    UNKNOWN_OUTCOME,
    Replay,
    Session,
    assert_documented_503,
    assert_exact,
    assert_healthy,
    code_of,
    membership,
    on_postgresql_only,
    recorded_moves,
    wait_until,
)
from tests.service import Service, Tenant, make_tenant
from tests.throwaway_postgres import ThrowawayPostgres

LEADS = 10_000
BACKEND_KILLS = 15 if TORTURE else 4
POSTMASTER_KILLS = 6 if TORTURE else 1

# `backend` only so that no PostgreSQL is started where the tests are told to leave it out.
pytestmark = [on_postgresql_only, pytest.mark.usefixtures("backend"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def postgres() -> Iterator[ThrowawayPostgres]:
    """A server that keeps its promises: fsync is on."""
    with ThrowawayPostgres(fsync=True) as server:
        yield server


@pytest.fixture(scope="module")
def own_service(postgres: ThrowawayPostgres, log_dir: Path) -> Iterator[Service]:
    """One server process that has to live through everything that happens to its database."""
    url = postgres.create_database("mortal")
    asyncio.run(schema.migrate(url))
    service = Service(url, log_dir).start()
    yield service
    service.stop()


@pytest.fixture(autouse=True)
def running(postgres: ThrowawayPostgres) -> None:
    """A test that failed while PostgreSQL was dead does not take the next ones along."""
    postgres.start()
    postgres.wait_until_ready()


@dataclass
class Mover:
    """Carries leads to and fro without a pause, looking where they are whenever an answer leaves that open."""

    tenant: Tenant
    one: str
    other: str
    leads: list[str]
    accepted: list[httpx.Response] = field(default_factory=list)
    unknown: int = 0
    told: Counter[str] = field(default_factory=Counter)
    last_success: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        here, there = self.one, self.other
        with self.tenant.new_client() as client:
            while not self.stop.is_set():
                answer = self.tenant.move(here, there, self.leads, client)
                self.told[f"{answer.status_code} {code_of(answer)}".strip()] += 1
                if answer.status_code == 200:
                    self.accepted.append(answer)
                    self.last_success = time.monotonic()
                    here, there = there, here
                elif code_of(answer) == "LEADS_NOT_IN_SOURCE":
                    # Only a move of unknown outcome that was done after all can have taken them.
                    assert self.unknown
                    assert answer.json()["error"]["leadCount"] == len(self.leads)
                    here, there = there, here
                else:
                    assert_documented_503(answer)
                    self.unknown += UNKNOWN_OUTCOME in answer.json()["error"]["details"]
                    self.stop.wait(0.02)


@dataclass
class Scene:
    """Two movers at work, a big one and a small one, each on audiences of its own."""

    tenant: Tenant
    movers: list[Mover]
    at_first: dict[str, set[str]]

    def wait_for_success(self) -> None:
        """Every mover gets a 200 that it had not before, without anybody restarting the service."""
        before = [mover.last_success for mover in self.movers]
        wait_until(
            lambda: all(mover.last_success > then for mover, then in zip(self.movers, before, strict=True)),
            "moves go through again",
            within_s=60,
        )


@contextmanager
def at_work(service: Service) -> Iterator[Scene]:
    """Movers while the block runs; then the proof that the record, the answers and the audiences agree."""
    tenant = make_tenant(service)
    process = service.process
    movers = []
    for name, size in (("big", LEADS), ("small", 3)):
        one, other = tenant.create_audience(f"{name} one"), tenant.create_audience(f"{name} other")
        movers.append(Mover(tenant, one, other, tenant.add_leads(one, size, prefix=name)))
    scene = Scene(tenant, movers, membership(tenant))
    with ThreadPoolExecutor(len(movers)) as pool:
        running = [pool.submit(mover.run) for mover in movers]
        try:
            scene.wait_for_success()
            yield scene
            scene.wait_for_success()
        finally:
            for mover in movers:
                mover.stop.set()
            for each in running:
                each.result()
    assert service.process is process and process is not None and process.poll() is None
    assert [line for line in service.log_lines() if line.get("event") == "unhandled_error"] == []
    assert_all_or_nothing(scene)
    print(f"\n{[dict(mover.told) for mover in movers]}, of unknown outcome: {[mover.unknown for mover in movers]}")


def assert_all_or_nothing(scene: Scene) -> None:
    tenant = scene.tenant
    record = recorded_moves(tenant)
    accepted = {answer.headers["Move-Id"] for mover in scene.movers for answer in mover.accepted}
    assert accepted <= set(record), "an answered move is gone"
    # Who was told that nothing was changed was told the truth: only the unknown ones may be there without a 200.
    assert len(record) - len(accepted) <= sum(mover.unknown for mover in scene.movers)
    start = {audience: set[str]() for mover in scene.movers for audience in (mover.one, mover.other)}
    replay = Replay({**start, **{audience: set(leads) for audience, leads in scene.at_first.items()}})
    replay.run(record.values(), [answer for mover in scene.movers for answer in mover.accepted])
    for mover in scene.movers:
        for answer in mover.accepted:
            replay.assert_answer(answer)
    assert_exact(tenant, replay.members)
    assert_healthy(tenant)


def wait_for_crash(session: Session) -> None:
    """The postmaster ends all connections when one of its processes dies; ours tells that it has noticed."""

    def is_lost() -> bool:
        try:
            session.run("SELECT 1")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return True
        return False

    wait_until(is_lost, "PostgreSQL notices the crash")


def test_moves_are_whole_after_the_death_of_the_process_that_ran_one(
    postgres: ThrowawayPostgres, own_service: Service
) -> None:
    chance = random.Random(3)
    with at_work(own_service) as scene:
        for _ in range(BACKEND_KILLS):
            with Session(own_service.database_url) as witness:
                pid = wait_until(partial(busy_backend, witness), "the big move is being executed")
                time.sleep(chance.uniform(0, 0.05))
                os.kill(pid, signal.SIGKILL)
                wait_for_crash(witness)
            postgres.wait_until_ready()
            scene.wait_for_success()
    assert own_service.doctor()["healthy"]


def busy_backend(witness: Session) -> int:
    found = witness.run(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'leadyard'"
        " AND state = 'active' AND query LIKE '%move_leads_%' AND pid <> pg_backend_pid()"
    )
    return int(found[0][0]) if found else 0


def test_moves_are_whole_after_the_death_of_the_whole_database_server(
    postgres: ThrowawayPostgres, own_service: Service
) -> None:
    chance = random.Random(4)
    with at_work(own_service) as scene:
        for _ in range(POSTMASTER_KILLS):
            with Session(own_service.database_url) as witness:
                wait_until(partial(busy_backend, witness), "the big move is being executed")
                time.sleep(chance.uniform(0, 0.05))
                os.kill(postgres.pid, signal.SIGKILL)
                wait_until(lambda: not postgres.is_running, "the postmaster is dead")
                wait_for_crash(witness)
            # Out of reach is an answer, too: for a while nothing listens.
            refused = scene.tenant.client.get("/audiences")
            assert_documented_503(refused)
            postgres.start()
            scene.wait_for_success()
    assert own_service.doctor()["healthy"]


def test_a_commit_whose_answer_was_lost_is_not_repeated_and_nothing_wrong_is_said_of_it(
    postgres: ThrowawayPostgres, own_service: Service
) -> None:
    tenant = make_tenant(own_service)
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, 5)
    with Session(postgres.url) as admin, ThreadPoolExecutor(1) as pool:
        # Waiting for a standby that does not exist, a commit is done on disk but never reported.
        admin.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        admin.run("SELECT pg_reload_conf()")
        wait_until(lambda: admin.run("SHOW synchronous_standby_names") == [("nobody",)], "the setting is in force")
        moving: Any = pool.submit(tenant.move, source, target, leads)
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        [(pid,)] = wait_until(lambda: admin.run(waiting), "the move's commit waits for the standby")
        admin.run("ALTER SYSTEM RESET synchronous_standby_names")
        os.kill(pid, signal.SIGKILL)
        wait_for_crash(admin)
    answer = moving.result()
    postgres.wait_until_ready()
    with Session(postgres.url) as admin:
        # Its restart after the crash did not read the settings again.
        admin.run("SELECT pg_reload_conf()")
        wait_until(lambda: admin.run("SHOW synchronous_standby_names") == [("",)], "commits wait for nobody again")

    # By its record, if PostgreSQL is back in time; tests/operations/test_moves_cut_short.py has both for certain.
    if answer.status_code == 200:
        assert answer.headers["Move-Id"] == tenant.walk("/moves")[0]["id"]
    else:
        assert_documented_503(answer)
        assert UNKNOWN_OUTCOME in answer.json()["error"]["details"]
    wait_until(lambda: tenant.client.get("/audiences").status_code == 200, "the service recovers by itself")
    assert_exact(tenant, {source: set(), target: set(leads)})
    assert len(tenant.walk("/moves")) == 1
    assert_healthy(tenant)


def test_connections_that_died_while_nobody_used_them_are_replaced_unnoticed(
    postgres: ThrowawayPostgres, own_service: Service
) -> None:
    tenant = make_tenant(own_service)
    audience = tenant.create_audience()
    with Session(postgres.url) as admin:
        [(count,)] = admin.run(
            # Each is waited for: one that is still dying when a request comes would die during the request.
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid, 30000) AS is_gone FROM pg_stat_activity"
            " WHERE application_name = 'leadyard') AS ended WHERE is_gone"
        )
        assert count > 0
        for _ in range(20):
            answer = tenant.client.get(f"/audiences/{audience}")
            assert answer.status_code == 200, answer.text
