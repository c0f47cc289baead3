"""kill -9 of PostgreSQL's processes in the middle of moves: the service reports it, recovers without help, loses
nothing."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadyard.store import schema
from rig.deaths import wait_for_crash
from rig.moving import at_work
from rig.racing import (
    TORTURE,
    UNKNOWN_OUTCOME,
    Session,
    assert_documented_503,
    assert_exact,
    assert_healthy,
    on_postgresql_only,
    wait_until,
)
from rig.service import Service, make_tenant
from rig.throwaway_postgres import ThrowawayPostgres

LEADS = 10_000
BACKEND_KILLS = 15 if TORTURE else 4
POSTMASTER_KILLS = 6 if TORTURE else 1
ROUNDS_OF_IDLE_DEATHS = 50 if TORTURE else 4
CLIENTS = 5

# `backend` only so that no PostgreSQL is started where the tests leave it out.
pytestmark = [on_postgresql_only, pytest.mark.usefixtures("backend"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def postgres() -> Iterator[ThrowawayPostgres]:
    """A server that keeps every commit, because fsync is on."""
    with ThrowawayPostgres(fsync=True) as server:
        yield server


@pytest.fixture(scope="module")
def own_service(postgres: ThrowawayPostgres, log_dir: Path) -> Iterator[Service]:
    """One server process that must survive everything that happens to its database."""
    url = postgres.create_database("mortal")
    asyncio.run(schema.migrate(url))
    service = Service(url, log_dir).start()
    yield service
    service.stop()


@pytest.fixture(autouse=True)
def running(postgres: ThrowawayPostgres) -> None:
    """A test that failed while PostgreSQL was dead must not make the next ones fail."""
    postgres.start()
    postgres.wait_until_ready()


def test_moves_are_whole_after_the_death_of_the_process_that_ran_one(
    postgres: ThrowawayPostgres, own_service: Service
) -> None:
    chance = random.Random(3)
    with at_work(own_service, big=LEADS, small=3) as scene:
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
    with at_work(own_service, big=LEADS, small=3) as scene:
        for _ in range(POSTMASTER_KILLS):
            with Session(own_service.database_url) as witness:
                wait_until(partial(busy_backend, witness), "the big move is being executed")
                time.sleep(chance.uniform(0, 0.05))
                os.kill(postgres.pid, signal.SIGKILL)
                wait_until(lambda: not postgres.is_running, "the postmaster is dead")
                wait_for_crash(witness)
            # "Unreachable" is a valid answer, too: for a while nothing listens.
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
        # A commit that waits for a standby that does not exist is done on disk but never reported.
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
        wait_until(lambda: admin.run("SHOW synchronous_standby_names") == [("",)], "commits wait for no standby again")

    # The record decides, if PostgreSQL is back in time. tests/operations/test_moves_cut_short.py forces both outcomes.
    if answer.status_code == 200:
        assert answer.headers["Move-Id"] == tenant.walk("/moves")[0]["id"]
    else:
        assert_documented_503(answer)
        assert UNKNOWN_OUTCOME in answer.json()["error"]["details"]
    wait_until(lambda: tenant.client.get("/audiences").status_code == 200, "the service recovers by itself")
    assert_exact(tenant, {source: set(), target: set(leads)})
    assert len(tenant.walk("/moves")) == 1
    assert_healthy(tenant)


@pytest.mark.parametrize("is_asleep", [False, True], ids=["awake", "asleep"])
def test_connections_that_died_while_nobody_used_them_are_replaced_unnoticed(
    postgres: ThrowawayPostgres, own_service: Service, is_asleep: bool
) -> None:
    """A service that is asleep finds the end of its connections and the next requests at the same moment, as it does on
    a machine that stood still."""
    tenant = make_tenant(own_service)
    audience = tenant.create_audience()
    assert own_service.process is not None

    def read() -> httpx.Response:
        with tenant.new_client() as client:
            return client.get(f"/audiences/{audience}")

    with Session(postgres.url) as admin, ThreadPoolExecutor(CLIENTS) as pool:
        for turn in range(ROUNDS_OF_IDLE_DEATHS):
            # So that several connections are idle.
            assert {each.result().status_code for each in [pool.submit(read) for _ in range(CLIENTS)]} == {200}
            logged = len(own_service.log_lines())
            if is_asleep:
                own_service.process.send_signal(signal.SIGSTOP)
            try:
                # Wait for each: a connection that is still closing when a request comes would fail during the request.
                ended = admin.run(
                    "SELECT pid, pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
                    " WHERE application_name = 'leadyard'"
                )
                answers = [pool.submit(read) for _ in range(CLIENTS)]
                if is_asleep:
                    time.sleep(0.02)
            finally:
                own_service.process.send_signal(signal.SIGCONT)
            told = [(each.result().status_code, each.result().text) for each in answers]
            what = (
                f"turn {turn}, ended {ended}, {events_since(own_service, logged)}, PostgreSQL: {postgres.end_of_log()}"
            )
            assert any(is_gone for _, is_gone in ended), what
            assert {status for status, _ in told} == {200}, f"{told}, {what}"


def events_since(service: Service, logged: int) -> list[dict[str, Any]]:
    """Returns what the service has logged after its first `logged` lines, without its statements."""
    return [line for line in service.log_lines()[logged:] if line.get("event") != "statement"]
