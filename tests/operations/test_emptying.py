"""Deleted audiences until nothing is left of them: how they are marked as empty, and which other audiences may have
members left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from leadyard.ids import ERASED_ID, key_of
from leadyard.model import Job, JobStatus, PlanPosition, Profile
from leadyard.operations import audiences as audience_operations
from leadyard.operations.audiences import delete_audience, empty_deleted_audiences
from leadyard.operations.changes import undoing
from leadyard.operations.changes.reading import list_changed_leads
from leadyard.operations.doctor import check_account_group
from leadyard.operations.jobs import undo_steps
from leadyard.operations.jobs.leases import claim_this_job
from leadyard.operations.jobs.transfers import get_transfer
from leadyard.operations.leads import erase_lead
from leadyard.store import audiences
from leadyard.store.db import Statement
from rig.jobs import LEASE_MS, run_of
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


def test_the_undo_of_a_large_deletion_passes_over_a_member_who_is_erased_in_between(
    on_stage: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The undo first removes the members that the housekeeping has left, in batches, so that the deletion lists all of
    them. A member who is erased between two batches has a place in the list as well."""
    monkeypatch.setattr(undo_steps, "_MEMBERSHIPS_A_BATCH", 8)
    monkeypatch.setattr(undoing, "MAX_LEADS_PER_UNDO", 10)

    async def work(stage: Stage) -> None:
        deletion = await delete_audience(stage.db, stage.caller, audience_id=stage.source)
        job = await undoing.undo_change(stage.db, stage.caller, change_id=deletion.id, skip_changed=False)
        assert isinstance(job, Job)
        claimed = await claim_this_job(stage.db, stage.caller.account_group_id, job.id, lease_ms=LEASE_MS)
        assert claimed is not None
        await undo_steps.plan_part(stage.db, claimed, PlanPosition(read=0), {}, lease_ms=LEASE_MS)
        erased = stage.lead_ids[12]
        await erase_lead(stage.db, stage.caller, lead_id=erased)
        await run_of(stage.db, claimed).run()
        ended = await get_transfer(stage.db, stage.caller, job_id=job.id)
        assert (ended.status, ended.error, ended.counts.skipped) == (JobStatus.COMPLETED, None, 1)
        others = [lead_id for lead_id in stage.lead_ids if lead_id != erased]
        assert list(await stage.members(stage.source)) == others
        listed, _ = await list_changed_leads(stage.db, stage.caller, change_id=deletion.id, after=0, limit=100)
        assert sorted(each.lead_id for each in listed) == [ERASED_ID, *others]
        check_up = await check_account_group(stage.db, account_group_id=stage.caller.account_group_id)
        assert check_up.findings == ()

    on_stage(work)
