"""The guard of an audience that is being populated has no race: no move commits after the job's row did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import apsw
import httpx
import pytest

from leadyard.clock import now_ms
from leadyard.ids import id_of, key_of, key_or_none, new_id, number_of
from leadyard.model import Caller
from leadyard.operations.moves import move_leads
from leadyard.store import move_statements
from leadyard.store.db import sqlite_connection, sqlite_engine
from rig.racing import (
    TORTURE,
    Replay,
    Session,
    assert_exact,
    assert_healthy,
    code_of,
    on_postgresql_only,
    recorded_moves,
    wait_until,
)
from rig.service import Tenant, on_database

ROUNDS = 60 if TORTURE else 6
MOVERS = 4
INSERT_JOB = (
    "INSERT INTO jobs (account_group_id, id, type, status, audience_id, second_audience_id, created_at, updated_at)"
    " VALUES ($1, $2, 'url_upload', 'running', $3, $4, $5, $5)"
)


@dataclass
class Attempt:
    """One request of a mover: when it was sent and answered, by the clock of this process."""

    sent_at: float
    answer: httpx.Response
    answered_at: float


@dataclass
class Hammer:
    """Movers that each move their own leads back and forth between two audiences until they are stopped."""

    tenant: Tenant
    one: str
    other: str
    attempts: list[Attempt] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, leads: list[str]) -> None:
        here, there = self.one, self.other
        with self.tenant.new_client() as client:
            while not self.stop.is_set():
                sent_at = time.monotonic()
                answer = self.tenant.move(here, there, leads, client)
                self.attempts.append(Attempt(sent_at, answer, time.monotonic()))
                if answer.status_code == 200:
                    here, there = there, here

    def since(self, moment: float, status: int) -> list[Attempt]:
        """Returns the attempts sent after the moment that were answered with the status."""
        return [each for each in list(self.attempts) if each.sent_at > moment and each.answer.status_code == status]


@pytest.fixture
def hammer(tenant: Tenant) -> Iterator[Hammer]:
    """Runs movers between two audiences, and proves at the end that no lead was lost."""
    one, other = tenant.create_audience("One"), tenant.create_audience("Other")
    leads = tenant.add_leads(one, 3 * MOVERS)
    hammer = Hammer(tenant, one, other)
    with ThreadPoolExecutor(MOVERS) as pool:
        running = [pool.submit(hammer.run, leads[n::MOVERS]) for n in range(MOVERS)]
        try:
            yield hammer
        finally:
            hammer.stop.set()
            for each in running:
                each.result()
    record = recorded_moves(tenant)
    answered = {each.answer.headers["Move-Id"] for each in hammer.attempts if each.answer.status_code == 200}
    assert set(record) == answered
    assert_exact(tenant, Replay({one: set(leads), other: set()}).run(record.values()).members)
    assert_healthy(tenant)


def insert_job(session: Session, tenant: Tenant, audience_id: str, second: str | None = None) -> str:
    job_id = new_id()
    session.run(INSERT_JOB, tenant.number, key_of(job_id), key_of(audience_id), key_or_none(second), now_ms())
    return job_id


def move_ids(session: Session, tenant: Tenant) -> set[str]:
    moves = "SELECT id FROM changes WHERE account_group_id = $1 AND kind = 'move'"
    return {id_of(row[0]) for row in session.run(moves, tenant.number)}


# Each audience is the source of some of the moves and the target of the others.
@pytest.mark.parametrize(("which", "place"), [("one", "first"), ("other", "first"), ("one", "second")])
def test_no_move_is_committed_after_a_job_on_one_of_its_audiences(hammer: Hammer, which: str, place: str) -> None:
    tenant, audience_id = hammer.tenant, getattr(hammer, which)
    audiences = [audience_id] if place == "first" else [tenant.create_audience(), audience_id]
    url = tenant.service.database_url
    with Session(url) as starter, Session(url) as onlooker:
        for _ in range(ROUNDS):
            wait_until(partial(hammer.since, time.monotonic(), 200), "a move before the job")
            starter.begin()
            job_id = insert_job(starter, tenant, *audiences)
            held_since = time.monotonic()
            # The row is there but not committed, so every new move has to wait for the outcome.
            time.sleep(0.03)
            assert hammer.since(held_since, 200) == []
            starter.commit()
            committed_at = time.monotonic()
            ids = move_ids(onlooker, tenant)
            wait_until(
                lambda at=committed_at: len(hammer.since(at, 409)) >= 2 * MOVERS,  # type: ignore[misc]
                "refusals after the job's commit",
            )
            refused_until = time.monotonic()
            assert move_ids(onlooker, tenant) == ids, "a move was committed while the job was running"
            tenant.end_job(job_id)

            during = [each for each in list(hammer.attempts) if committed_at < each.answered_at < refused_until]
            for each in during:
                if each.answer.status_code == 200:
                    assert each.sent_at < committed_at and each.answer.headers["Move-Id"] in ids
                else:
                    assert code_of(each.answer) == "AUDIENCE_NOT_READY"
                    error = each.answer.json()["error"]
                    assert (error["audienceId"], error["jobId"]) == (audience_id, job_id)
                    assert int(each.answer.headers["Retry-After"]) > 0
        wait_until(partial(hammer.since, time.monotonic(), 200), "a move after the last job")
    assert {code_of(each.answer) for each in hammer.attempts} == {"", "AUDIENCE_NOT_READY"}


@contextmanager
def paused_after_its_guard(tenant: Tenant, source: str, lead: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pause]:
    """Stops moves from the source, including moves in this process, after they have checked for jobs and before they
    change anything. On PostgreSQL they stop inside the function, at the row of the lead, which we hold; on SQLite, on
    the thread of the connection."""
    passed, go_on = threading.Event(), threading.Event()
    fetch = sqlite_engine.fetch

    def fetch_later(connection: Any, sql: str, *values: Any) -> Any:
        if sql == move_statements._CHANGE_AUDIENCE.sqlite:
            passed.set()
            assert go_on.wait(30)
        return fetch(connection, sql, *values)

    if tenant.service.is_postgresql:
        with Session(tenant.service.database_url) as holder, Session(tenant.service.database_url) as onlooker:
            holder.begin()
            holder.run(HOLD_LEAD, tenant.number, number_of(source), key_of(lead))
            yield Pause(lambda: mover_behind(onlooker, holder), holder.commit)
        return
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_connection, "fetch", fetch_later)
        yield Pause(lambda: passed.wait(30), go_on.set)


@dataclass
class Pause:
    """`wait` returns a true value once a move has reached the pause; `end` lets the move continue."""

    wait: Callable[[], object]
    end: Callable[[], object]


HOLD_LEAD = "SELECT 1 FROM memberships WHERE account_group_id = $1 AND audience_id = $2 AND lead_id = $3 FOR UPDATE"
BLOCKED_BY = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)) AND pid <> pg_backend_pid()"


def mover_behind(onlooker: Session, holder: Session) -> int:
    """Returns the process that waits for the holder. Fails unless it is a move that is about to change memberships."""
    [(mover,)] = wait_until(lambda: onlooker.run(BLOCKED_BY, holder.pid), "the move waits behind the row lock")
    [(statement,)] = onlooker.run("SELECT query FROM pg_stat_activity WHERE pid = $1", mover)
    assert "move_leads_" in statement
    changes = "SELECT 1 FROM pg_locks WHERE pid = $1 AND relation = CAST('memberships' AS regclass) AND mode = $2"
    assert onlooker.run(changes, mover, "RowExclusiveLock"), "it should be past its check for jobs"
    return int(mover)


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_job_cannot_start_while_a_move_that_saw_none_is_under_way(
    tenant: Tenant, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, 5)
    caller = Caller.operator(tenant.account_group_id)
    with (
        paused_after_its_guard(tenant, source, leads[2], monkeypatch) as pause,
        Session(tenant.service.database_url) as starter,
        ThreadPoolExecutor(1) as pool,
    ):
        under_way = pool.submit(
            on_database,
            tenant.service.database_url,
            lambda db: move_leads(db, caller, source_audience_id=source, target_audience_id=target, lead_ids=leads),
        )
        try:
            assert pause.wait()
            # These locks are not available immediately: PostgreSQL's row lock of the foreign key, SQLite's write lock.
            starter.run("SET lock_timeout = '200ms'" if starter.is_postgresql else "PRAGMA busy_timeout=200")
            with pytest.raises(Exception, match=r"lock timeout|database is locked") as refused:
                starter.begin()
                insert_job(starter, tenant, {"source": source, "target": target}[which])
            assert starter.is_postgresql or isinstance(refused.value, apsw.BusyError)
            assert not under_way.done()
        finally:
            pause.end()
        move = under_way.result().move
        if starter.is_postgresql:
            starter.run("ROLLBACK")
        # From here on it may take its time.
        starter.run("RESET lock_timeout" if starter.is_postgresql else "PRAGMA busy_timeout=30000")
        starter.begin()
        insert_job(starter, tenant, {"source": source, "target": target}[which])
        assert move_ids(starter, tenant) == {move.id}
        starter.commit()
    assert tenant.move(target, source, leads).status_code == 409


@on_postgresql_only
@pytest.mark.parametrize("which", ["source", "target"])
def test_a_job_waits_for_a_move_that_is_held_up_behind_a_lock(tenant: Tenant, which: str) -> None:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, 5)
    url = tenant.service.database_url
    with Session(url) as blocker, Session(url) as starter, Session(url) as onlooker, ThreadPoolExecutor(2) as pool:
        blocker.begin()
        blocker.run(HOLD_LEAD, tenant.number, number_of(source), key_of(leads[2]))
        under_way = pool.submit(tenant.move, source, target, leads)
        mover = mover_behind(onlooker, blocker)
        starter.begin()
        starting = pool.submit(insert_job, starter, tenant, {"source": source, "target": target}[which])
        waiting = wait_until(lambda: onlooker.run(BLOCKED_BY, mover), "the job waits for the move")
        assert waiting == [(starter.pid,)]
        assert not under_way.done() and not starting.done()

        blocker.commit()
        answer = under_way.result()
        starting.result()

        assert answer.status_code == 200, answer.text
        # The job's transaction saw the move before it could commit.
        assert move_ids(starter, tenant) == {answer.headers["Move-Id"]}
        starter.commit()
    assert tenant.move(target, source, leads).status_code == 409
    assert membership_count(tenant, target) == 5


def membership_count(tenant: Tenant, audience_id: str) -> int:
    [(count,)] = tenant.sql(
        "SELECT count(*) FROM memberships WHERE account_group_id = $1 AND audience_id = $2",
        tenant.number,
        number_of(audience_id),
    )
    return int(count)
