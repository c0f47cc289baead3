"""Moves that are cancelled, cut off or refused by the database: done wholly or not at all, never twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from leadyard import ids
from leadyard.clock import now_ms
from leadyard.errors import AudienceNotReady, LeadsNotInSource, NotFound, ServiceUnavailable
from leadyard.ids import key_of, keys_of, new_id, number_of
from leadyard.model import Profile
from leadyard.operations import moves as move_operations
from leadyard.operations import operation
from leadyard.operations.audiences import delete_audience
from leadyard.operations.moves import list_moves
from leadyard.store import idempotency, move_statements, schema
from leadyard.store.db import COMMIT_UNKNOWN, Statement, open_database, postgresql, sqlite, sqlite_connection
from rig.racing import Session, on_postgresql_only, wait_until
from rig.service import run_sql
from rig.stage import Stage, staged

CALL = move_statements._CALL.postgresql
RESERVE = idempotency._RESERVE.postgresql
FORGET_CHANGES = Statement("DELETE FROM changes WHERE account_group_id = :account_group_id")
# To the doctor the memberships are older than the record.
FORGET_THEIR_TIMES = Statement(
    "UPDATE account_groups SET changes_expired_before = :mark WHERE id = :account_group_id", across_groups=True
)
with_and_without_a_key = pytest.mark.parametrize("has_key", [False, True], ids=["alone", "with a key"])


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conflicts are run again without a pause."""
    monkeypatch.setattr(operation, "_FIRST_PAUSE_S", 0)


@pytest.fixture(scope="module")
def database_url(migrated_database: Callable[[], str]) -> str:
    """A database for all the stages of this file."""
    return migrated_database()


# ------------------------------------------------------------------------------------------ cancelled


class CancelAt:
    """Cancels the victim while the n-th statement that the service sends is on its way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        self.sent: list[str] = []
        self.victim: asyncio.Task[Any] | None = None
        for module in (sqlite, sqlite_connection, postgresql):
            monkeypatch.setattr(module, "log_statement", self.note)

    def note(self, statement: str) -> None:
        self.sent.append(statement)
        if len(self.sent) != self.number or self.victim is None:
            return
        victim, loop = self.victim, self.victim.get_loop()
        if threading.current_thread() is threading.main_thread():
            # The task runs on to its next pause, where the statement is on its way.
            victim.cancel()
            return
        # On the thread of SQLite. It continues only after the task was cancelled and had its turn to stop.
        told = threading.Event()
        loop.call_soon_threadsafe(victim.cancel)
        loop.call_soon_threadsafe(loop.call_later, 0.005, told.set)
        assert told.wait(10)

    async def run(self, stage: Stage) -> str:
        """Returns the statement at which the move was cancelled; '' if the move had fewer statements."""
        self.sent.clear()
        self.victim = asyncio.create_task(stage.move())
        try:
            await self.victim
            return ""
        except asyncio.CancelledError:
            return self.sent[self.number - 1]
        finally:
            self.victim = None


@with_and_without_a_key
def test_a_move_that_is_cancelled_at_any_statement_is_whole_and_leaves_a_usable_connection(
    database_url: str, monkeypatch: pytest.MonkeyPatch, backend: str, has_key: bool
) -> None:
    cancel = CancelAt(monkeypatch)

    async def try_once() -> str:
        async with staged(database_url) as stage:
            await stage.move()
            stage.source, stage.target = stage.target, stage.source
            await stage.move()
            stage.source, stage.target = stage.target, stage.source
            await forget_moves(stage)
            without_key = stage.caller
            if has_key:
                stage.come_with_a_key()
            statement = await cancel.run(stage)
            stage.caller = without_key
            await stage.settle()
            moved = await stage.is_moved()
            if statement and has_key and statement != "COMMIT":
                assert not moved, f"cancelled at {statement}, yet moved"
            if not has_key and backend == "sqlite":
                assert moved, f"cancelled at {statement}, and not completed"
            if not moved:
                await stage.move()
            assert await stage.is_moved()
            return statement

    cancelled: list[str] = []
    while True:
        cancel.number += 1
        statement = asyncio.run(try_once())
        if not statement:
            break
        cancelled.append(statement)
    if backend == "sqlite":
        assert len(cancelled) >= 5 and "COMMIT" in cancelled, cancelled
        assert any("UPDATE OR IGNORE memberships" in statement for statement in cancelled)
    elif has_key:
        assert [cancelled[0], cancelled[1], cancelled[-1]] == ["BEGIN", RESERVE, "COMMIT"]
    else:
        assert cancelled == [move_statements._CALL.postgresql]


async def forget_moves(stage: Stage) -> None:
    """Once all statements are prepared, a move runs as in a long-lived server. Only its record is in our way."""
    async with stage.db.write(stage.caller.account_group_id) as tx:
        await tx.run(FORGET_CHANGES)
        await tx.run(FORGET_THEIR_TIMES, mark=2**62)


@with_and_without_a_key
def test_a_move_that_is_cancelled_at_any_moment_is_whole(database_url: str, has_key: bool) -> None:
    async def run() -> list[bool]:
        loop = asyncio.get_running_loop()
        answered: list[bool] = []
        for step in range(25):
            async with staged(database_url) as stage:
                without_key = stage.caller
                if has_key:
                    stage.come_with_a_key()
                task = asyncio.create_task(stage.move())
                loop.call_later(step * 0.0006, task.cancel)
                try:
                    await task
                    answered.append(True)
                except asyncio.CancelledError:
                    answered.append(False)
                stage.caller = without_key
                await stage.settle()
                assert await stage.is_moved() or not answered[-1]
        return answered

    answered = asyncio.run(run())
    assert not answered[0]


@on_postgresql_only
def test_a_move_that_is_cancelled_while_it_waits_inside_the_function_is_undone(database_url: str) -> None:
    async def run() -> None:
        async with staged(database_url) as stage:
            async with held(database_url, stage) as holding:
                task = asyncio.create_task(stage.move())
                await asyncio.to_thread(holding.wait_for_mover)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert not await stage.is_moved()
            assert (await stage.move()).move.moved_count == 20
            assert await stage.is_moved()

    asyncio.run(run())


class Held:
    """Another session's transaction, which holds the row of one of the leads to be moved. The function then waits with
    both audiences locked, after its check for jobs."""

    def __init__(self, url: str, stage: Stage) -> None:
        self.holder, self.onlooker = Session(url), Session(url)
        self.group, self.audiences = stage.caller.account_group_id, [stage.source, stage.target]
        self.holder.begin()
        self.holder.run(
            "SELECT 1 FROM memberships WHERE account_group_id = $1 AND audience_id = $2 AND lead_id = $3 FOR UPDATE",
            number_of(self.group),
            number_of(stage.source),
            key_of(stage.lead_ids[7]),
        )

    def wait_for_mover(self) -> int:
        """Returns the server process of the moving session, once it waits."""
        blocked = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)) AND pid <> pg_backend_pid()"
        [(pid,)] = wait_until(lambda: self.onlooker.run(blocked, self.holder.pid), "the move waits behind the row lock")
        return int(pid)

    def wait_for_the_mover(self) -> None:
        """Requests a lock that the mover has, while the mover waits for our lock. Returns when the mover has given
        way."""
        # PostgreSQL chooses the session that checks for deadlocks first, and ours does not check.
        self.holder.run("SET deadlock_timeout = '30s'")
        self.holder.run(
            "SELECT id FROM audiences WHERE account_group_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE",
            number_of(self.group),
            keys_of(self.audiences),
        )

    def let_go(self) -> None:
        for session in (self.holder, self.onlooker):
            session.__exit__(None, None, None)


@asynccontextmanager
async def held(url: str, stage: Stage) -> AsyncIterator[Held]:
    """On threads, because a Session has its own loop."""
    holding = await asyncio.to_thread(Held, url, stage)
    try:
        yield holding
    finally:
        await asyncio.to_thread(holding.let_go)


# ------------------------------------------------------------------------------------------ connections that are lost


class Losing:
    """Loses the connection at the named statements, each once, before or after the statement has done its work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, at: str, arrives: bool) -> None:
        self.sent: list[str] = []
        self.at, self.arrives, self.is_lost = at, arrives, False
        for name in ("execute", "fetch"):
            monkeypatch.setattr(asyncpg.connection.Connection, name, self._losing(name))

    def _losing(self, name: str) -> Callable[..., Any]:
        send = getattr(asyncpg.connection.Connection, name)

        async def send_or_lose(connection: Any, query: str, *values: Any, **rest: Any) -> Any:
            self.sent.append(query)
            if query != self.at or self.is_lost:
                return await send(connection, query, *values, **rest)
            self.is_lost = True
            if self.arrives:
                await send(connection, query, *values, **rest)
            connection.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

        return send_or_lose


async def put_three_into_the_target(stage: Stage) -> None:
    await stage.add(stage.target, *(Profile(email=f"{n}@example.com") for n in range(3)))


@on_postgresql_only
@pytest.mark.parametrize("arrives", [True, False])
def test_a_connection_lost_during_a_move_without_a_key_leaves_no_doubt(
    database_url: str, monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    """The commit is part of the call, so the lost connection alone leaves the outcome open. The record of the move
    decides."""

    async def run() -> None:
        async with staged(database_url) as stage:
            await put_three_into_the_target(stage)
            with monkeypatch.context() as patched:
                losing = Losing(patched, at=CALL, arrives=arrives)
                result = await stage.move()
            assert losing.is_lost and losing.sent.count(CALL) == (1 if arrives else 2)
            assert (result.move.moved_count, result.move.already_in_target_count) == (20, 3)
            assert (result.source.prospect_count, result.target.prospect_count) == (0, 20)
            assert result.move.lead_ids == tuple(stage.lead_ids)
            assert [recorded.id for recorded in await stage.recorded()] == [result.move.id]
            [recorded] = await stage.recorded()
            assert (recorded.moved_count, recorded.already_in_target_count) == (20, 3)
            assert recorded.moved_at == result.move.moved_at
            assert sorted(await stage.members(stage.target)) == sorted(stage.lead_ids)
            assert await stage.members(stage.source) == {}

    asyncio.run(run())


@on_postgresql_only
def test_a_move_that_was_lost_while_the_clock_stepped_back_is_found(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids never step back within a process, but times do. The search for a lost move must use the time that was sent
    with it. Otherwise a move that was made would be refused because its leads are not in the source."""

    async def run() -> None:
        async with staged(database_url) as stage:
            with monkeypatch.context() as patched:
                patched.setattr(ids, "now_ms", lambda: now_ms() + 3_600_000)
                # Restored afterwards: otherwise later ids of this process would be from an hour that has not come.
                patched.setattr(ids, "_last", ids._last)
                losing = Losing(patched, at=CALL, arrives=True)
                result = await stage.move()
            assert losing.is_lost
            assert [recorded.id for recorded in await stage.recorded()] == [result.move.id]

    asyncio.run(run())


@on_postgresql_only
def test_connections_at_hand_are_given_back_when_the_database_is_closed(database_url: str) -> None:
    async def run() -> None:
        async with staged(database_url) as stage:
            db = open_database(database_url, pool_size=4, wait_s=30)
            caller = stage.caller
            await asyncio.gather(*(list_moves(db, caller, before=None, limit=1) for _ in range(20)))
            await asyncio.gather(*(list_moves(db, caller, before=None, limit=1) for _ in range(20)))
            async with asyncio.timeout(10):
                # It waits for every connection that was lent. With a forgotten one it would wait without end.
                await db.close()

    asyncio.run(run())


@on_postgresql_only
@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("how", ["refuses connections", "loses every connection"])
@with_and_without_a_key
def test_a_move_that_was_cut_off_stays_unknown_while_the_database_stays_away(
    database_url: str, monkeypatch: pytest.MonkeyPatch, arrives: bool, how: str, has_key: bool
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    async def run() -> None:
        async with staged(database_url) as stage:
            with monkeypatch.context() as patched:
                if has_key:
                    stage.come_with_a_key()
                await stage.settle()
                losing = Losing(patched, at="COMMIT" if has_key else CALL, arrives=arrives)
                execute = asyncpg.connection.Connection.execute

                async def lose_each(connection: Any, query: str, *values: Any, **rest: Any) -> Any:
                    if losing.is_lost:
                        connection.terminate()
                        raise asyncpg.ConnectionDoesNotExistError("connection was closed")
                    return await execute(connection, query, *values, **rest)

                patched.setattr(asyncpg.connection.Connection, "execute", lose_each)
                if how == "refuses connections":
                    patched.setattr(asyncpg.connect_utils, "_connect", refuse)
                with pytest.raises(ServiceUnavailable, match="lost during the commit") as refused:
                    await stage.move()
            assert refused.value.reason == COMMIT_UNKNOWN
            assert "either completely or not at all" in refused.value.details and refused.value.retry_after_s
            assert losing.sent.count(CALL) == 1
            assert await stage.is_moved() is arrives
            if has_key:
                with suppress(IndexError):  # The stage has no result of a replay.
                    await stage.move()
                assert await stage.is_moved()

    asyncio.run(run())


@on_postgresql_only
def test_a_move_that_was_cut_off_and_whose_audience_is_deleted_since_is_no_404(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The move was made. A client that reads "not found" would believe that it was not."""
    find_or_move = move_operations._find_or_move

    async def delete_then_find(db: Any, caller: Any, move: Any, lost: Any) -> Any:
        await delete_audience(db, caller, audience_id=move.target_audience_id)
        return await find_or_move(db, caller, move, lost)

    async def run(*, arrives: bool) -> None:
        async with staged(database_url) as stage:
            with monkeypatch.context() as patched:
                Losing(patched, at=CALL, arrives=arrives)
                patched.setattr(move_operations, "_find_or_move", delete_then_find)
                await stage.move()

    with pytest.raises(ServiceUnavailable, match="either completely or not at all"):
        asyncio.run(run(arrives=True))
    with pytest.raises(NotFound):
        asyncio.run(run(arrives=False))


@on_postgresql_only
@pytest.mark.parametrize("arrives", [True, False])
def test_a_connection_lost_in_the_commit_of_a_keyed_move_leaves_no_doubt(
    database_url: str, monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    """The stored answer decides. The move runs again only if its transaction was not committed."""

    async def run() -> None:
        async with staged(database_url) as stage:
            stage.come_with_a_key()
            with monkeypatch.context() as patched:
                losing = Losing(patched, at="COMMIT", arrives=arrives)
                result = await stage.move()
            assert losing.is_lost and losing.sent.count(CALL) == (1 if arrives else 2)
            assert result.move.moved_count == 20
            assert [recorded.id for recorded in await stage.recorded()] == [result.move.id]
            assert await stage.is_moved()

    asyncio.run(run())


@on_postgresql_only
@with_and_without_a_key
def test_a_session_that_is_ended_inside_the_function_is_not_noticed(database_url: str, has_key: bool) -> None:
    async def run() -> None:
        async with staged(database_url) as stage:
            if has_key:
                stage.come_with_a_key()
            async with held(database_url, stage) as holding:
                moving_on = asyncio.create_task(stage.move())
                first = await asyncio.to_thread(holding.wait_for_mover)
                await asyncio.to_thread(holding.onlooker.run, "SELECT pg_terminate_backend($1)", first)
                await asyncio.to_thread(
                    wait_until, lambda: holding.wait_for_mover() != first, "another session has taken over"
                )
                assert not moving_on.done()
            result = await moving_on
            assert result.move.moved_count == 20
            assert await stage.is_moved()

    asyncio.run(run())


# -------------------------------------------------------------------------------- interference by other sessions


@on_postgresql_only
@pytest.mark.usefixtures("no_pauses")
@with_and_without_a_key
@pytest.mark.parametrize(
    "error", [asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError]
)
def test_a_conflict_inside_the_function_is_run_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch, has_key: bool, error: type[Exception]
) -> None:
    fetch = asyncpg.connection.Connection.fetch
    calls: list[str] = []

    async def fetch_or_fail(connection: Any, query: str, *values: Any, **rest: Any) -> Any:
        if query == CALL:
            calls.append(values[1])
            if len(calls) <= 3:
                raise error("")
        return await fetch(connection, query, *values, **rest)

    async def run() -> None:
        async with staged(database_url) as stage:
            if has_key:
                stage.come_with_a_key()
            monkeypatch.setattr(asyncpg.connection.Connection, "fetch", fetch_or_fail)
            assert (await stage.move()).move.moved_count == 20
            assert len(calls) == 4
            assert await stage.is_moved()

    asyncio.run(run())


@on_postgresql_only
@with_and_without_a_key
def test_a_move_that_is_the_victim_of_a_deadlock_is_run_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch, has_key: bool
) -> None:
    sent: list[str] = []

    async def run() -> None:
        async with staged(database_url) as stage:
            if has_key:
                stage.come_with_a_key()
            async with held(database_url, stage) as holding:
                with monkeypatch.context() as patched:
                    patched.setattr(postgresql, "log_statement", sent.append)
                    moving_on = asyncio.create_task(stage.move())
                    await asyncio.to_thread(holding.wait_for_mover)
                    await asyncio.to_thread(holding.wait_for_the_mover)
                    await asyncio.to_thread(holding.holder.commit)
                    assert (await moving_on).move.moved_count == 20
            assert sent.count(CALL) >= 2
            assert await stage.is_moved()

    asyncio.run(run())


# ------------------------------------------------------------------------------------------- refusals by SQLite


@with_and_without_a_key
@pytest.mark.parametrize(
    "refused", ["BEGIN IMMEDIATE", move_statements._COUNT.sqlite, "COMMIT"], ids=["begin", "step", "commit"]
)
@pytest.mark.parametrize(
    ("code", "is_run_again"), [(apsw.SQLITE_BUSY, True), (apsw.SQLITE_FULL, False), (apsw.SQLITE_IOERR, False)]
)
def test_what_sqlite_refuses_changes_nothing_and_leaves_a_usable_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str, code: int, is_run_again: bool, has_key: bool
) -> None:
    url = f"sqlite:///{tmp_path}/leadyard.db"
    asyncio.run(schema.migrate(url))
    refusals: list[str] = []

    def refuse_once(sql: str) -> None:
        """Refuses the statement once, in the function that every statement passes just before SQLite gets it."""
        if sql == refused and not refusals:
            refusals.append(sql)
            raise apsw.exception_for(code)

    async def run() -> None:
        async with staged(url) as stage:
            without_key = stage.caller
            if has_key:
                stage.come_with_a_key()
            with monkeypatch.context() as patched:
                patched.setattr(sqlite_connection, "log_statement", refuse_once)
                if is_run_again:
                    assert (await stage.move()).move.moved_count == 20
                else:
                    with pytest.raises(ServiceUnavailable):
                        await stage.move()
                    assert not await stage.is_moved()
                    stage.caller = without_key
                    await stage.move()
            assert refusals and await stage.is_moved()

    asyncio.run(run())


def test_sqlite_waits_for_the_writer_of_another_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/leadyard.db"
    asyncio.run(schema.migrate(url))

    async def run() -> None:
        async with staged(url) as stage:
            with Session(url) as other:
                other.begin()
                moving_on = asyncio.create_task(stage.move())
                await asyncio.sleep(0.3)
                assert not moving_on.done()
                # The thread is not held in the pause: reads do not even use it, and the loop goes on.
                assert not await stage.is_moved()
                other.commit()
            assert (await moving_on).move.moved_count == 20
            assert await stage.is_moved()

    asyncio.run(run())


# ------------------------------------------------------------------------------------------ refusals that are too late


@with_and_without_a_key
@pytest.mark.parametrize("obstacle", ["job", "lead"])
def test_a_move_whose_obstacle_is_gone_when_it_is_to_be_explained_is_made(
    database_url: str, monkeypatch: pytest.MonkeyPatch, obstacle: str, has_key: bool
) -> None:
    """The check for the obstacle comes after the move was given up."""
    looks: list[str] = []
    refuse = move_operations._refuse

    async def run() -> None:
        async with staged(database_url) as stage:
            put, take = OBSTACLES[obstacle]
            await asyncio.to_thread(put, database_url, stage)

            async def refuse_when_it_is_gone(*arguments: Any) -> None:
                if not looks:
                    await asyncio.to_thread(take, database_url, stage)
                looks.append("")
                await refuse(*arguments)

            if has_key:
                stage.come_with_a_key()
            with monkeypatch.context() as patched:
                patched.setattr(move_operations, "_refuse", refuse_when_it_is_gone)
                assert (await stage.move()).move.moved_count == 20
            assert len(looks) == 1
            assert await stage.is_moved()

    asyncio.run(run())


@with_and_without_a_key
@pytest.mark.parametrize(("obstacle", "refusal"), [("job", AudienceNotReady), ("lead", LeadsNotInSource)])
def test_a_move_whose_obstacle_stays_is_refused_and_undone(
    database_url: str, obstacle: str, refusal: type[Exception], has_key: bool
) -> None:
    async def run() -> None:
        async with staged(database_url) as stage:
            put, take = OBSTACLES[obstacle]
            await asyncio.to_thread(put, database_url, stage)
            without_key = stage.caller
            if has_key:
                stage.come_with_a_key()
            with pytest.raises(refusal):
                await stage.move()
            stage.caller = without_key
            await asyncio.to_thread(take, database_url, stage)
            assert not await stage.is_moved()

    asyncio.run(run())


def start_job(url: str, stage: Stage) -> None:
    run_sql(
        url,
        "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
        " VALUES ($1, $2, 'url_upload', 'running', $3, $4, $4)",
        number_of(stage.caller.account_group_id),
        key_of(new_id()),
        key_of(stage.target),
        now_ms(),
    )


def end_job(url: str, stage: Stage) -> None:
    run_sql(
        url,
        "UPDATE jobs SET status = 'completed' WHERE account_group_id = $1",
        number_of(stage.caller.account_group_id),
    )


def take_lead(url: str, stage: Stage) -> None:
    _put_lead(url, stage, stage.source, stage.away)


def bring_lead_back(url: str, stage: Stage) -> None:
    _put_lead(url, stage, stage.away, stage.source)


def _put_lead(url: str, stage: Stage, here: str, there: str) -> None:
    group, lead_id = stage.caller.account_group_id, stage.lead_ids[7]
    run_sql(
        url,
        "UPDATE memberships SET audience_id = $1 WHERE account_group_id = $2 AND audience_id = $3 AND lead_id = $4",
        number_of(there),
        number_of(group),
        number_of(here),
        key_of(lead_id),
    )
    for audience_id, more in ((here, -1), (there, 1)):
        run_sql(
            url,
            "UPDATE audiences SET prospect_count = prospect_count + $1 WHERE account_group_id = $2 AND id = $3",
            more,
            number_of(group),
            key_of(audience_id),
        )


OBSTACLES = {"job": (start_job, end_job), "lead": (take_lead, bring_lead_back)}
