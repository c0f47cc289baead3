"""Deleted audiences until nothing is left of them: what marks them as empty, and who else may have left one behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from leadyard.model import AudienceType, Profile
from leadyard.operations import audiences as audience_operations
from leadyard.operations.audiences import create_audience, delete_audience, empty_deleted_audiences
from leadyard.operations.leads import erase_lead
from leadyard.store import audiences
from leadyard.store.db import Statement
from tests.stage import Stage, staged

STATE = Statement(
    "SELECT prospect_count, deleted_at, emptied_at FROM audiences"
    " WHERE account_group_id = :account_group_id AND id = :id"
)
# What the version before this one does when an audience is deleted, and when a batch of it is removed.
DELETE_OF_OLD = Statement(
    "UPDATE audiences SET deleted_at = 7, folder_id = NULL WHERE account_group_id = :account_group_id AND id = :id"
)
COUNT_OF_OLD = Statement(
    "UPDATE audiences SET prospect_count = 0 WHERE account_group_id = :account_group_id AND id = :id"
)
REMOVE_ALL = Statement("DELETE FROM memberships WHERE account_group_id = :account_group_id AND audience_id = :id")


@pytest.fixture
def on_stage(migrated_database: Callable[[], str]) -> Callable[[Callable[[Stage], Awaitable[None]]], None]:
    """A function that runs the work on a stage in a database of its own: the emptying looks into every group."""

    def run(work: Callable[[Stage], Awaitable[None]]) -> None:
        url = migrated_database()

        async def on_it() -> None:
            async with staged(url) as stage:
                await work(stage)

        asyncio.run(on_it())

    return run


async def state(stage: Stage, audience_id: str) -> tuple[int, bool, bool]:
    """Returns its count, whether it is deleted, and whether it is known to be empty."""
    async with stage.db.read(stage.caller.account_group_id) as tx:
        row = await tx.row(STATE, id=audience_id)
    assert row is not None
    return row["prospect_count"], row["deleted_at"] is not None, row["emptied_at"] is not None


async def left(stage: Stage) -> list[str]:
    """Returns the groups in which the housekeeping still finds something to do."""
    async with stage.db.read(None) as tx:
        return await audiences.list_groups_to_empty(tx, limit=10)


async def run_on(stage: Stage, *statements: Statement, audience_id: str) -> None:
    async with stage.db.write(stage.caller.account_group_id) as tx:
        for statement in statements:
            await tx.run(statement, id=audience_id)


def test_an_empty_audience_is_marked_at_once_and_a_full_one_after_its_last_batch(
    on_stage: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience_operations, "_MEMBERSHIPS_A_BATCH", 8)

    async def work(stage: Stage) -> None:
        await delete_audience(stage.db, stage.caller, audience_id=stage.target)
        assert await state(stage, stage.target) == (0, True, True)
        assert await left(stage) == []

        await delete_audience(stage.db, stage.caller, audience_id=stage.source)
        assert await state(stage, stage.source) == (20, True, False)
        for removed, state_after in ((8, (12, True, False)), (8, (4, True, False)), (4, (0, True, True))):
            assert await left(stage) == [stage.caller.account_group_id]
            assert await empty_deleted_audiences(stage.db) == removed
            assert await state(stage, stage.source) == state_after
        assert await left(stage) == []
        assert await empty_deleted_audiences(stage.db) == 0
        # Nobody else is taken for a deleted one.
        assert await state(stage, stage.away) == (0, False, False)

    on_stage(work)


def test_an_audience_that_is_only_emptied_is_not_marked(on_stage: Callable[..., None]) -> None:
    """By a move, or by the erasing of its last member; it is there, and may be filled again."""

    async def work(stage: Stage) -> None:
        await stage.move()
        assert await state(stage, stage.source) == (0, False, False)
        await stage.add(stage.source, Profile(email="last@example.com"))
        [last] = await stage.members(stage.source)
        await erase_lead(stage.db, stage.caller, lead_id=last)
        assert await state(stage, stage.source) == (0, False, False)
        await stage.add(stage.source, Profile(email="next@example.com"))
        await delete_audience(stage.db, stage.caller, audience_id=stage.source)
        assert await state(stage, stage.source) == (1, True, False)

    on_stage(work)


def test_the_erasing_of_the_last_member_of_a_deleted_audience_marks_it(on_stage: Callable[..., None]) -> None:
    async def work(stage: Stage) -> None:
        await stage.add(stage.target, Profile(email="last@example.com"))
        [last] = await stage.members(stage.target)
        await delete_audience(stage.db, stage.caller, audience_id=stage.target)
        assert await state(stage, stage.target) == (1, True, False)
        await erase_lead(stage.db, stage.caller, lead_id=last)
        assert await state(stage, stage.target) == (0, True, True)
        assert await left(stage) == []

    on_stage(work)


@pytest.mark.parametrize("emptied_by", ["the old version", "nobody yet"])
def test_what_the_version_before_left_is_found_and_finished(on_stage: Callable[..., None], emptied_by: str) -> None:
    """It goes on for a while on the new schema, and marks nothing."""
    emptied: tuple[Any, ...] = (REMOVE_ALL, COUNT_OF_OLD) if emptied_by == "the old version" else ()

    async def work(stage: Stage) -> None:
        empty = await create_audience(
            stage.db, stage.caller, name="Empty", type=AudienceType.ON_DEMAND, description=None
        )
        await run_on(stage, DELETE_OF_OLD, audience_id=empty.id)
        await run_on(stage, DELETE_OF_OLD, *emptied, audience_id=stage.source)
        assert await left(stage) == [stage.caller.account_group_id]
        rounds = 0
        while await left(stage):
            await empty_deleted_audiences(stage.db)
            rounds += 1
        assert rounds == 2
        for audience_id in (empty.id, stage.source):
            assert await state(stage, audience_id) == (0, True, True)

    on_stage(work)
