"""Conflicts, lost connections and cancelled work: run again or refused, never done half or twice."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import pytest

from leadyard.errors import NotFound, ServiceUnavailable, TransactionConflict
from leadyard.model import AddResult, AudienceType, Caller, MoveResult, Profile
from leadyard.operations import operation
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import create_audience, get_audience
from leadyard.operations.doctor import check_account_group
from leadyard.operations.moves import list_moves, move_leads
from leadyard.operations.operation import run_again_on_conflict
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.store import leads, moves, schema
from leadyard.store.db import Database, Statement, open_database, postgresql, sqlite
from tests.racing import Session, assert_healthy, at_once, membership, on_postgresql_only
from tests.service import Tenant, leadyard

FORGET_MOVES = Statement("DELETE FROM moves WHERE account_group_id = :account_group_id")


# ------------------------------------------------------------------------------------------------ running work again


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conflicts are run again at once."""
    monkeypatch.setattr(operation, "_FIRST_PAUSE_S", 0)


class Failing:
    """Work that raises each of the errors in turn, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.runs = 0

    async def __call__(self) -> str:
        self.runs += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.mark.usefixtures("no_pauses")
def test_work_that_met_a_conflict_is_run_again_until_it_succeeds() -> None:
    for conflicts in range(8):
        work = Failing(*[TransactionConflict() for _ in range(conflicts)])
        assert asyncio.run(run_again_on_conflict(work, name="work")) == "done"
        assert work.runs == conflicts + 1


@pytest.mark.usefixtures("no_pauses")
def test_after_eight_conflicts_the_caller_is_asked_to_come_back() -> None:
    work = Failing(*[TransactionConflict() for _ in range(8)])
    with pytest.raises(ServiceUnavailable, match="Nothing was changed") as refused:
        asyncio.run(run_again_on_conflict(work, name="work"))
    assert work.runs == 8
    assert refused.value.retry_after_s and refused.value.retry_after_s > 0


@pytest.mark.parametrize(
    "error", [ServiceUnavailable("Unknown outcome."), NotFound("audience", "0"), ValueError("a bug")]
)
def test_nothing_but_a_conflict_is_run_again(error: Exception) -> None:
    work = Failing(error)
    with pytest.raises(type(error)):
        asyncio.run(run_again_on_conflict(work, name="work"))
    assert work.runs == 1


# --------------------------------------------------------------------------------------------------------- the stage


class Stage:
    """An account group with two audiences on a database of its own, for operations that run in this process."""

    def __init__(self, db: Database, caller: Caller, source: str, target: str, lead_ids: list[str]) -> None:
        self.db = db
        self.caller = caller
        self.source = source
        self.target = target
        self.lead_ids = lead_ids

    async def move(self) -> MoveResult:
        return await move_leads(
            self.db,
            self.caller,
            source_audience_id=self.source,
            target_audience_id=self.target,
            lead_ids=self.lead_ids,
        )

    async def add(self, audience_id: str, *profiles: Profile) -> AddResult:
        return await add_prospects(self.db, self.caller, audience_id=audience_id, profiles=profiles)

    async def members(self, audience_id: str) -> dict[str, Profile]:
        page = await list_prospects(self.db, self.caller, audience_id=audience_id, after=None, limit=1000)
        counted = await get_audience(self.db, self.caller, audience_id=audience_id)
        assert counted.prospect_count == len(page.items)
        return {member.lead.id: member.lead.profile for member in page.items}

    async def is_moved(self) -> bool:
        """Returns whether the move was done; fails if it was done in part."""
        here, there = await self.members(self.source), await self.members(self.target)
        recorded = (await list_moves(self.db, self.caller, before=None, limit=10)).items
        check_up = await check_account_group(self.db, account_group_id=self.caller.account_group_id)
        assert check_up.findings == ()
        everywhere = sorted(self.lead_ids)
        found = (sorted(here), sorted(there), len(recorded))
        assert found in ((everywhere, [], 0), ([], everywhere, 1))
        return found[2] == 1


@asynccontextmanager
async def staged(url: str, *, pool_size: int = 1) -> AsyncIterator[Stage]:
    """With one connection only, whatever a failure leaves behind on it meets the next one who needs it."""
    db = open_database(url, pool_size=pool_size, wait_s=5)
    try:
        group = await create_account_group(db, name="Stage")
        caller = Caller.operator(group.id)
        made = [
            await create_audience(db, caller, name=name, type=AudienceType.ON_DEMAND, description=None)
            for name in ("Source", "Target")
        ]
        stage = Stage(db, caller, made[0].id, made[1].id, [])
        await stage.add(stage.source, *(Profile(email=f"{n}@example.com") for n in range(20)))
        stage.lead_ids = list(await stage.members(stage.source))
        yield stage
    finally:
        await db.close()


@pytest.fixture(scope="module")
def database_url(migrated_database: Callable[[], str]) -> str:
    """A database for all the stages of this file."""
    return migrated_database()


# ----------------------------------------------------------------------------------------------------- cancelled work


def test_a_move_that_is_cancelled_at_any_statement_is_whole_and_leaves_a_usable_connection(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    victim: list[asyncio.Task[Any]] = []
    cancel_at = 0

    def note(statement: str) -> None:
        sent.append(statement)
        if len(sent) == cancel_at and victim:
            # The task runs on to its next pause: that is where the statement is on its way.
            victim[0].cancel()

    async def cancelled_move(stage: Stage) -> str:
        """Returns the statement at which the move was cancelled, '' when it had no more statements than that."""
        task = asyncio.create_task(stage.move())
        sent.clear()
        victim[:] = [task]
        try:
            await task
            return ""
        except asyncio.CancelledError:
            return sent[cancel_at - 1]
        finally:
            victim.clear()

    for module in (sqlite, postgresql):
        monkeypatch.setattr(module, "log_statement", note)
    cancelled: list[str] = []
    while True:
        cancel_at += 1

        async def try_once() -> str:
            async with staged(database_url) as stage:
                await stage.move()
                stage.source, stage.target = stage.target, stage.source
                await stage.move()
                stage.source, stage.target = stage.target, stage.source
                await forget_moves(stage)
                statement = await cancelled_move(stage)
                moved = await stage.is_moved()
                if statement and statement != "COMMIT":
                    assert not moved, f"cancelled at {statement}, yet moved"
                if not moved:
                    await stage.move()
                assert await stage.is_moved()
                return statement

        statement = asyncio.run(try_once())
        if not statement:
            break
        cancelled.append(statement)
    assert len(cancelled) >= 5 and "COMMIT" in cancelled, cancelled
    assert any("memberships" in statement for statement in cancelled)


async def forget_moves(stage: Stage) -> None:
    """Once all statements are prepared, a move is as it is in the life of a server; only its record is in our way."""
    async with stage.db.write(stage.caller.account_group_id) as tx:
        await tx.run(FORGET_MOVES)


def test_a_move_that_is_cancelled_at_any_moment_is_whole(database_url: str) -> None:
    async def run() -> list[bool]:
        loop = asyncio.get_running_loop()
        outcomes: list[bool] = []
        for step in range(25):
            async with staged(database_url) as stage:
                task = asyncio.create_task(stage.move())
                loop.call_later(step * 0.0006, task.cancel)
                answered = False
                try:
                    await task
                    answered = True
                except asyncio.CancelledError:
                    pass
                moved = await stage.is_moved()
                assert moved or not answered
                outcomes.append(moved)
        return outcomes

    outcomes = asyncio.run(run())
    assert not outcomes[0]


# ---------------------------------------------------------------------------------------------- commits that go wrong


@on_postgresql_only
@pytest.mark.parametrize("arrives", [True, False])
def test_a_connection_lost_at_commit_is_an_unknown_outcome_and_is_never_run_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    commands: list[str] = []
    execute = asyncpg.connection.Connection.execute

    async def lose_the_commit(connection: Any, query: str, *values: Any, **rest: Any) -> str:
        commands.append(query)
        if query != "COMMIT":
            return str(await execute(connection, query, *values, **rest))
        if arrives:
            await execute(connection, query)
        connection.terminate()
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    async def run() -> None:
        async with staged(database_url) as stage:
            with monkeypatch.context() as losing:
                losing.setattr(asyncpg.connection.Connection, "execute", lose_the_commit)
                with pytest.raises(ServiceUnavailable, match="lost during the commit") as refused:
                    await stage.move()
            assert "wholly there or wholly not" in refused.value.details
            assert refused.value.retry_after_s
            assert commands.count("BEGIN") == commands.count("COMMIT") == 1
            assert await stage.is_moved() is arrives

    asyncio.run(run())


@on_postgresql_only
def test_a_connection_lost_before_the_commit_is_run_again_unnoticed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = moves.insert
    killed: list[int] = []

    async def insert_after_a_kill(tx: Any, move: Any) -> None:
        if not killed:
            killed.append(tx._connection.get_server_pid())
            await asyncio.to_thread(terminate, killed[0])
        await insert(tx, move)

    def terminate(pid: int) -> None:
        with Session(database_url) as admin:
            admin.run("SELECT pg_terminate_backend($1)", pid)

    async def run() -> None:
        async with staged(database_url) as stage:
            monkeypatch.setattr(moves, "insert", insert_after_a_kill)
            result = await stage.move()
            assert result.move.moved_count == 20 and killed
            assert await stage.is_moved()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("code", "is_run_again"), [(sqlite3.SQLITE_BUSY, True), (sqlite3.SQLITE_FULL, False), (sqlite3.SQLITE_IOERR, False)]
)
def test_a_commit_that_sqlite_refuses_changes_nothing_and_leaves_a_usable_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, is_run_again: bool
) -> None:
    url = f"sqlite:///{tmp_path}/leadyard.db"
    asyncio.run(schema.migrate(url))
    fetchall = aiosqlite.Connection.execute_fetchall
    refusals: list[str] = []

    async def refuse_the_commit(connection: Any, sql: str, *values: Any) -> Any:
        if sql == "COMMIT" and not refusals:
            refusals.append(sql)
            error = sqlite3.OperationalError("refused")
            error.sqlite_errorcode = code
            raise error
        return await fetchall(connection, sql, *values)

    async def run() -> None:
        async with staged(url) as stage:
            monkeypatch.setattr(aiosqlite.Connection, "execute_fetchall", refuse_the_commit)
            if is_run_again:
                assert (await stage.move()).move.moved_count == 20
            else:
                with pytest.raises((ServiceUnavailable, sqlite3.OperationalError)):
                    await stage.move()
                assert not await stage.is_moved()
                await stage.move()
            assert refusals and await stage.is_moved()

    asyncio.run(run())


# ------------------------------------------------------------------------------------------------ the same new people


def test_the_same_new_people_brought_in_by_many_at_once_are_created_once(database_url: str) -> None:
    async def run() -> None:
        async with staged(database_url, pool_size=6) as stage:
            people = [Profile(email=f"new-{n}@example.com", provider_id=f"id-{n}") for n in range(100)]
            several = [people, people[::-1], people[50:] + people[:50]] * 2
            into = [stage.source, stage.target] * 3
            results = await asyncio.gather(*(stage.add(to, *who) for to, who in zip(into, several, strict=True)))
            assert sum(result.created for result in results) == 100
            assert all(result.created + result.matched == 100 and not result.rejected for result in results)
            assert sum(result.added for result in results) == 200
            here, there = await stage.members(stage.source), await stage.members(stage.target)
            assert len(there) == 100 and set(here) == set(there) | set(stage.lead_ids)
            check_up = await check_account_group(stage.db, account_group_id=stage.caller.account_group_id)
            assert check_up.findings == () and check_up.looked_at["leads"] == 120

    asyncio.run(run())


@on_postgresql_only
def test_two_imports_that_both_found_somebody_unknown_end_with_one_lead(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = meet_after(monkeypatch, leads, "find_known")

    async def run() -> None:
        async with staged(database_url, pool_size=2) as stage:
            person = Profile(email="both@example.com")
            looks.meeting = asyncio.Barrier(2)
            results = await asyncio.gather(stage.add(stage.source, person), stage.add(stage.target, person))
            assert sorted((result.created, result.matched, result.added) for result in results) == [
                (0, 1, 1),
                (1, 0, 1),
            ]
            assert looks.calls == 3, "one of the two should have had to look again"
            assert len(set(await stage.members(stage.source)) & set(await stage.members(stage.target))) == 1

    asyncio.run(run())


@on_postgresql_only
def test_imports_that_deadlock_are_run_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = meet_after(monkeypatch, leads, "update")

    async def run() -> None:
        async with staged(database_url, pool_size=2) as stage:
            # Each fills in the one and adds the other, so each holds what the other one needs.
            one, other = Profile(email="0@example.com"), Profile(email="1@example.com")
            filled = [Profile(email=profile.email, title="Buyer") for profile in (one, other)]
            third = await create_audience(
                stage.db, stage.caller, name="Third", type=AudienceType.ON_DEMAND, description=None
            )
            writes.meeting = asyncio.Barrier(2)
            results = await asyncio.gather(
                stage.add(stage.target, filled[0], other), stage.add(third.id, one, filled[1])
            )
            assert [(result.matched, result.added) for result in results] == [(2, 2), (2, 2)]
            assert writes.calls == 3, "one of the two should have been the victim"
            for audience_id in (stage.target, third.id):
                found = await stage.members(audience_id)
                assert {(profile.email, profile.title) for profile in found.values()} == {
                    ("0@example.com", "Buyer"),
                    ("1@example.com", "Buyer"),
                }

    asyncio.run(run())


class MeetAfter:
    """Calls the function, then waits, the first two times, for the other caller to have done so, too."""

    def __init__(self, function: Callable[..., Awaitable[Any]]) -> None:
        self.function = function
        self.meeting: asyncio.Barrier | None = None
        self.calls = 0

    async def __call__(self, *args: Any, **values: Any) -> Any:
        result = await self.function(*args, **values)
        if self.meeting is not None:
            self.calls += 1
            if self.calls <= 2:
                async with asyncio.timeout(10):
                    await self.meeting.wait()
        return result


def meet_after(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> MeetAfter:
    meeting = MeetAfter(getattr(module, name))
    monkeypatch.setattr(module, name, meeting)
    return meeting


def test_whatever_many_know_of_the_same_lead_is_all_kept(database_url: str) -> None:
    fields = ("title", "phone", "location", "headline", "first_name", "last_name", "company_name", "about")

    async def run() -> None:
        async with staged(database_url, pool_size=8) as stage:
            several = [
                Profile(email="0@example.com", **{name: f"the {name}"}, custom_fields={f"Field {n}": f"value {n}"})
                for n, name in enumerate(fields)
            ]
            into = [stage.source, stage.target] * 4
            results = await asyncio.gather(*(stage.add(to, who) for to, who in zip(into, several, strict=True)))
            assert [result.matched for result in results] == [1] * 8
            [known] = (await stage.members(stage.target)).values()
            assert {name: getattr(known, name) for name in fields} == {name: f"the {name}" for name in fields}
            assert dict(known.custom_fields) == {f"Field {n}": f"value {n}" for n in range(8)}

    asyncio.run(run())


def test_a_file_imported_by_two_processes_at_once_brings_everybody_in_once(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience("Import")
    people = [f"{n}@example.com" for n in range(3000)]
    orders = [people, people[::-1]]
    for number, order in enumerate(orders):
        rows = "".join(f"{email},Name {email}\n" for email in order)
        (tmp_path / f"{number}.csv").write_text(f"email,name\n{rows}")

    def import_file(number: int) -> dict[str, Any]:
        done = leadyard(
            "import",
            str(tmp_path / f"{number}.csv"),
            *("--account-group", tenant.account_group_id, "--audience", audience, "--json"),
            url=tenant.service.database_url,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    reports = at_once(*(partial(import_file, number) for number in range(2)))

    assert [(report["read"], report["rejected"]) for report in reports] == [(3000, 0), (3000, 0)]
    assert sum(report["created"] for report in reports) == sum(report["added"] for report in reports) == 3000
    emails = tenant.sql("SELECT email FROM leads WHERE account_group_id = $1", tenant.account_group_id)
    assert sorted(email for (email,) in emails) == sorted(people)
    assert tenant.count(audience) == 3000 == len(membership(tenant)[audience])
    assert_healthy(tenant)
