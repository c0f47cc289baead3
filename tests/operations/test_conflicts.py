"""Conflicts, lost connections and cancelled work: the work is run again or refused, never done half or twice."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from leadyard import ids
from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import CONNECTION_LOST, NotFound, ServiceUnavailable, TransactionConflict
from leadyard.ids import id_of, number_of
from leadyard.model import AudienceType, Profile
from leadyard.operations import moves as move_operations
from leadyard.operations import operation
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import create_audience
from leadyard.operations.doctor import check_account_group
from leadyard.operations.operation import run_again_on_conflict
from leadyard.people import matching
from leadyard.store import leads
from leadyard.store.db import Statement, open_database
from leadyard.worker import housekeeping
from rig.racing import assert_healthy, at_once, membership, on_postgresql_only
from rig.service import Tenant, leadyard
from rig.stage import staged

ADD_ENTRY = Statement(
    """INSERT INTO change_subjects (account_group_id, subject, change_id)
    VALUES (:account_group_id, :subject, :change_id)"""
)
END_OWN_SESSION = Statement("SELECT pg_terminate_backend(pg_backend_pid())", across_groups=True)
SET_BACK = Statement("UPDATE audiences SET changed_at = :changed_at WHERE account_group_id = :account_group_id")


# ------------------------------------------------------------------------------------------------ running work again


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conflicts are run again without a pause."""
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


@pytest.mark.usefixtures("no_pauses")
def test_the_last_conflict_is_the_reason_for_the_operator() -> None:
    cause = ValueError("the cause")
    last = TransactionConflict("Lost: the server stops", reason=CONNECTION_LOST)
    last.__cause__ = cause
    work = Failing(*[TransactionConflict("Deadlock: deadlock detected") for _ in range(7)], last)
    with pytest.raises(ServiceUnavailable) as refused:
        asyncio.run(run_again_on_conflict(work, name="work"))
    assert refused.value.for_log() == {"reason": "connection_lost", "detail": "Lost: the server stops"}
    assert refused.value.__cause__ is cause
    assert "server" not in refused.value.details


@pytest.fixture(scope="module")
def database_url(migrated_database: Callable[[], str]) -> str:
    """A database for all the stages of this file."""
    return migrated_database()


# --------------------------------------------------------------------------------------- a chore that never succeeds


async def postponed(url: str, statement: Statement, **values: Any) -> EventDict:
    """Returns the log line of a chore of the housekeeping that runs the statement twice in its transaction."""

    async def chore(db: Database) -> int:
        async with db.write(id_of(1)) as tx:
            await tx.run(statement, **values)
            return await tx.run(statement, **values)

    async def again(db: Database) -> int:
        return await run_again_on_conflict(partial(chore, db), name="chore")

    db = open_database(url, pool_size=1, wait_s=5)
    try:
        with capture_logs() as lines:
            assert await housekeeping._do(again, db, {}, wait_s=1) == 0
    finally:
        await db.close()
    [line] = [line for line in lines if line["event"] == "housekeeping_postponed"]
    return line


@pytest.mark.usefixtures("no_pauses")
def test_the_log_of_a_chore_that_conflicts_each_time_names_what_the_database_reports(database_url: str) -> None:
    line = asyncio.run(postponed(database_url, ADD_ENTRY, subject=1234567890, change_id=1))
    assert (line["chore"], line["reason"]) == ("again", "conflicts")
    assert line["detail"].startswith(
        ("UniqueViolationError: duplicate key value violates", "UNIQUE constraint failed: change_subjects.")
    )
    assert "1234567890" not in line["detail"]


@on_postgresql_only
@pytest.mark.usefixtures("no_pauses")
def test_the_log_of_a_chore_whose_session_is_ended_each_time_names_what_the_database_reports(database_url: str) -> None:
    line = asyncio.run(postponed(database_url, END_OWN_SESSION))
    assert line["reason"] == "connection_lost"
    assert line["detail"].endswith("terminating connection due to administrator command")


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
            assert looks.calls == 3, "one of the two should have had to read again"
            assert len(set(await stage.members(stage.source)) & set(await stage.members(stage.target))) == 1

    asyncio.run(run())


@on_postgresql_only
def test_imports_of_the_same_known_people_do_not_deadlock(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both keep all of their people before either of them changes one."""
    writes = meet_after(monkeypatch, leads, "keep")

    async def run() -> None:
        async with staged(database_url, pool_size=2) as stage:
            # Each completes one person and adds the other, so each changes a person whom the other keeps.
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
            assert writes.calls == 2, "none of the two should have been run again"
            for audience_id in (stage.target, third.id):
                found = await stage.members(audience_id)
                assert {(profile.email, profile.title) for profile in found.values()} == {
                    ("0@example.com", "Buyer"),
                    ("1@example.com", "Buyer"),
                }

    asyncio.run(run())


class MeetAfter:
    """Calls the function. The first two times it then waits until the other caller has called it, too."""

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
    emails = tenant.sql("SELECT email FROM leads WHERE account_group_id = $1", tenant.number)
    assert sorted(email for (email,) in emails) == sorted(people)
    assert tenant.count(audience) == 3000 == len(membership(tenant)[audience])
    assert_healthy(tenant)


# ------------------------------------------------------------------------------------------------- ids that are taken


@pytest.mark.usefixtures("no_pauses")
def test_a_number_that_is_taken_is_drawn_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of an account group is unique in the installation, and an audience number in its account group."""

    async def run() -> None:
        async with staged(database_url) as stage, staged(database_url) as other:
            draws = iter([*map(number_of, (stage.caller.account_group_id, stage.source, stage.source)), 77])
            with monkeypatch.context() as patched:
                patched.setattr(secrets, "randbits", lambda bits: next(draws) if bits == ids.NUMBER_BITS else 1)
                group = await create_account_group(stage.db, name="Another")
                made = await create_audience(
                    stage.db, stage.caller, name="Another", type=AudienceType.ON_DEMAND, description=None
                )
                assert list(draws) == []
            # The number of an audience is free in any other account group.
            assert number_of(group.id) == number_of(stage.source)
            assert number_of(made.id) == 77
            assert other.caller.account_group_id != group.id

    asyncio.run(run())


@pytest.mark.usefixtures("no_pauses")
def test_the_id_of_a_move_or_a_lead_that_is_taken_is_drawn_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lead of another account group may have the same key."""

    async def run() -> None:
        async with staged(database_url) as stage, staged(database_url) as other:
            first = (await stage.move()).move
            drawn: list[str] = []

            def taken_then_new(taken: str) -> Callable[[], str]:
                def draw() -> str:
                    drawn.append(taken if not drawn else ids.new_id())
                    return drawn[-1]

                return draw

            # The time of a move is later than the last change of its audiences, so only the same time collides.
            async with stage.db.write(stage.caller.account_group_id) as tx:
                await tx.run(SET_BACK, changed_at=first.moved_at - 1)
            with monkeypatch.context() as patched:
                patched.setattr(move_operations, "new_id", taken_then_new(first.id))
                patched.setattr(move_operations, "now_ms", lambda: first.moved_at if len(drawn) == 1 else now_ms())
                stage.source, stage.target = stage.target, stage.source
                second = (await stage.move()).move
            assert len(drawn) == 2 and second.id != first.id

            drawn.clear()
            with monkeypatch.context() as patched:
                patched.setattr(matching, "new_id", taken_then_new(stage.lead_ids[0]))
                added = await other.add(other.source, Profile(email="other@example.com"))
                assert added.created == 1
                assert len(drawn) == 1
                drawn.clear()
                added = await stage.add(stage.source, Profile(email="another@example.com"))
                assert added.created == 1 and len(drawn) == 2
            for each in (stage, other):
                group = each.caller.account_group_id
                assert (await check_account_group(each.db, account_group_id=group)).findings == ()

    asyncio.run(run())
