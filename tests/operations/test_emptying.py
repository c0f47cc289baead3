"""Deleted audiences until nothing is left of them: how they are marked as empty, and which other audiences may have
members left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from leadyard.ids import key_of
from leadyard.model import Profile
from leadyard.operations import audiences as audience_operations
from leadyard.operations.audiences import delete_audience, empty_deleted_audiences
from leadyard.operations.leads import erase_lead
from leadyard.store import audiences
from leadyard.store.db import Statement
from rig.stage import Stage, staged

STATE = Statement(
    "SELECT prospect_count, deleted_at, emptied_at FROM audiences"
    " WHERE account_group_id = :account_group_id AND id = :id"
)


@pytest.fixture
def on_stage(migrated_database: Callable[[], str]) -> Callable[[Callable[[Stage], Awaitable[None]]], None]:
    """A function that runs the work on a stage in a new database, because the emptying looks into every group."""

    def run(work: Callable[[Stage], Awaitable[None]]) -> None:
        url = migrated_database()

        async def on_it() -> None:
            async with staged(url) as stage:
                await work(stage)

        asyncio.run(on_it())

    return run


async def state(stage: Stage, audience_id: str) -> tuple[int, bool, bool]:
    """Returns its count, whether it is deleted, and whether it is marked as empty."""
    async with stage.db.read(stage.caller.account_group_id) as tx:
        row = await tx.row(STATE, id=key_of(audience_id))
    assert row is not None
    return row["prospect_count"], row["deleted_at"] is not None, row["emptied_at"] is not None


async def left(stage: Stage) -> list[str]:
    """Returns the groups in which the housekeeping still finds something to do."""
    async with stage.db.read(None) as tx:
        return await audiences.list_groups_to_empty(tx, limit=10)


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
        # No other audience is mistaken for a deleted one.
        assert await state(stage, stage.away) == (0, False, False)

    on_stage(work)


def test_an_audience_that_is_only_emptied_is_not_marked(on_stage: Callable[..., None]) -> None:
    """A move, or the erasure of the last member, empties it; the audience still exists, and may be filled again."""

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
