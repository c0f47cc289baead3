"""The index of changes: one account group whose changes do not get into it does not hold up the others."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from leadyard.database import Database
from leadyard.errors import ServiceUnavailable
from leadyard.ids import id_of, key_of, number_of
from leadyard.operations.changes import indexing
from leadyard.operations.changes.indexing import index_changes
from leadyard.operations.doctor import Finding, check_account_group
from leadyard.store.db import Statement
from rig.stage import Stage, staged

RUNNING = Path(__file__).parents[2] / "docs" / "running.md"
ADD_ENTRY = Statement(
    """INSERT INTO change_subjects (account_group_id, subject, change_id)
    VALUES (:account_group_id, :subject, :change_id)"""
)
NOT_INDEXED = Statement(
    "SELECT id FROM changes WHERE account_group_id = :account_group_id AND NOT is_indexed ORDER BY id"
)


@pytest.fixture
def database_url(migrated_database: Callable[[], str]) -> str:
    return migrated_database()


@asynccontextmanager
async def two_groups(url: str) -> AsyncIterator[tuple[Stage, Stage]]:
    """Yields two account groups with a move each, in the order in which the housekeeping takes them."""
    async with staged(url) as one, staged(url) as other:
        first, second = sorted([one, other], key=lambda stage: number_of(stage.caller.account_group_id))
        for stage in (first, second):
            await stage.move()
        yield first, second


async def not_indexed(stage: Stage) -> list[str]:
    async with stage.db.read(stage.caller.account_group_id) as tx:
        return [id_of(row["id"]) for row in await tx.rows(NOT_INDEXED)]


async def found_by_doctor(stage: Stage) -> tuple[Finding, ...]:
    return (await check_account_group(stage.db, account_group_id=stage.caller.account_group_id)).findings


async def index_early(stage: Stage, subject: int) -> str:
    """Puts one entry of the move into the index, as another program may do. Returns the id of the move."""
    [move] = await stage.recorded()
    async with stage.db.write(stage.caller.account_group_id) as tx:
        await tx.run(ADD_ENTRY, subject=subject, change_id=key_of(move.id))
    return move.id


@pytest.mark.parametrize("of", ["a lead", "an audience", "the kind"])
def test_an_entry_of_another_program_stops_no_other_account_group(
    database_url: str, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    # Each account group is a page of its own, so those after a page of broken ones must come, too.
    monkeypatch.setattr(indexing, "_GROUPS_A_ROUND", 1)

    async def run() -> None:
        async with two_groups(database_url) as (broken, sound):
            subject = {"a lead": key_of(broken.lead_ids[0]), "an audience": -key_of(broken.target), "the kind": 1}[of]
            move_id = await index_early(broken, subject)
            [finding] = await found_by_doctor(broken)
            assert finding.check == "index"
            assert finding.message.startswith(f"Change {move_id} is partly in the index of changes already")
            assert await found_by_doctor(sound) == ()
            assert move_id in await not_indexed(broken) and await not_indexed(sound)

            with structlog.testing.capture_logs() as lines:
                while await index_changes(sound.db):
                    pass
            assert await not_indexed(sound) == []
            failed = [line for line in lines if line["event"] == "change_index_failed"]
            if sound.db.url.startswith("sqlite:"):
                # SQLite's statement leaves the entry as it is.
                assert failed == [] and await not_indexed(broken) == []
            else:
                [line] = failed
                assert line["account_group_id"] == broken.caller.account_group_id
                assert line["reason"] == "conflicts"
                assert line["detail"].startswith("UniqueViolationError: duplicate key value")
                assert str(subject) not in line["detail"] or subject == 1
                assert move_id in await not_indexed(broken)
                await remove_early_entries(broken.db)
                # As another process, which has not set the account group aside.
                await index_changes(broken.db)
            assert await not_indexed(broken) == []
            assert await found_by_doctor(broken) == ()

    asyncio.run(run())


async def remove_early_entries(db: Database) -> None:
    """Does what docs/running.md advises."""
    [advice] = re.findall("```sql\n(DELETE FROM change_subjects .*?)\n```", RUNNING.read_text(), re.DOTALL)
    async with db.write(None) as tx:
        assert await tx.run(Statement(advice.rstrip(";"), across_groups=True)) == 1


def test_an_account_group_that_fails_is_tried_again_after_a_minute(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []
    usual = indexing._index

    async def run() -> None:
        async with two_groups(database_url) as (broken, sound):

            async def fail(db: Database, account_group_id: str) -> int:
                if account_group_id != broken.caller.account_group_id:
                    return await usual(db, account_group_id)
                tries.append(account_group_id)
                raise ValueError("a bug")

            monkeypatch.setattr(indexing, "_index", fail)
            with structlog.testing.capture_logs() as lines:
                assert await index_changes(sound.db) > 0
                assert await index_changes(sound.db) == 0
            assert len(tries) == 1 and await not_indexed(sound) == []
            [line] = [line for line in lines if line["event"] == "change_index_failed"]
            assert (line["account_group_id"], line["log_level"]) == (tries[0], "error")
            monkeypatch.setattr(indexing, "_index", usual)
            later = time.monotonic() + 61
            monkeypatch.setattr(indexing, "monotonic", lambda: later)
            assert await index_changes(sound.db) > 0
            assert await not_indexed(broken) == []

    asyncio.run(run())


def test_a_database_that_does_not_work_is_not_the_failure_of_a_group(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with two_groups(database_url) as (first, second):

            async def fail(_db: Database, _account_group_id: str) -> int:
                refusal = ServiceUnavailable("Nothing was changed.")
                refusal.reason = "unreachable"
                raise refusal

            with monkeypatch.context() as patch:
                patch.setattr(indexing, "_index", fail)
                with structlog.testing.capture_logs() as lines, pytest.raises(ServiceUnavailable):
                    await index_changes(first.db)
            assert "change_index_failed" not in [line["event"] for line in lines]
            assert await index_changes(first.db) > 0
            assert await not_indexed(first) == await not_indexed(second) == []

    asyncio.run(run())
