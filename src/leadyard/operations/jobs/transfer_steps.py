"""The steps of a transfer: its worker makes the selection, then applies it part by part.

Each step that writes is one transaction that holds the job (`held_job.py`), so it is saved completely or not at all,
and only once.
"""

from __future__ import annotations

from leadyard.database import Database, Transaction
from leadyard.errors import SelectionChanged
from leadyard.model import (
    Change,
    ChangeKind,
    ChangeState,
    ClaimedJob,
    JobCounts,
    JobStage,
    PartPosition,
    TransferAction,
    TransferSource,
    UndoSource,
)
from leadyard.operations.changes.parts import Applied, apply_action, apply_plan, begin_in_parts, plan_selection
from leadyard.operations.changes.recording import begin
from leadyard.operations.guards import lock_audiences, ready_audience
from leadyard.operations.jobs.held_job import hold, save_step
from leadyard.operations.operation import retried
from leadyard.operations.selecting import chosen_leads
from leadyard.store import changes, jobs, selections
from leadyard.store.planned_parts import LeadKeys
from leadyard.watching import metrics

_KINDS = {
    TransferAction.MOVE: ChangeKind.MOVE,
    TransferAction.COPY: ChangeKind.COPY,
    TransferAction.REMOVE: ChangeKind.REMOVE,
}


@retried
async def read_selection(db: Database, claimed: ClaimedJob) -> list[LeadKeys]:
    """Returns the leads of the transfer, as they are at one moment: 8 bytes for each. Raises NotFound and
    AudienceNotReady for another audience that the filter names."""
    source = claimed.job.source_as(TransferSource)
    async with db.snapshot(claimed.account_group_id) as tx:
        for audience_id in source.filter.audience_ids:
            await _ready_or_ours(tx, claimed, audience_id)
        listed, excluded = await jobs.read_lists(tx, claimed.job.id)
        pages = chosen_leads(
            tx,
            claimed.job.audience_id,
            source.filter,
            listed=selections.keys_in_order(listed or ()) if source.is_listed else None,
            excluded=selections.keys_in_order(excluded),
            limit=source.limit,
        )
        return [page async for page in pages]


@retried
async def write_plan(db: Database, claimed: ClaimedJob, pages: list[LeadKeys], *, lease_ms: int) -> None:
    """Writes the selection as the plan of a hidden change, and ends the first stage of the job. Without a lead there is
    no change. Raises LeaseLost, and SelectionChanged if the request expected another number of leads."""
    job, source = claimed.job, claimed.job.source_as(TransferSource)
    count = sum(map(len, pages))
    if source.expected_count not in (None, count):
        raise SelectionChanged(count=count)
    async with db.write(claimed.account_group_id) as tx:
        locked = await lock_audiences(tx, job.audience_ids)
        await hold(tx, claimed)
        if count:
            change = begin(
                _KINDS[source.action],
                source=locked[0],
                target=locked[1] if len(locked) > 1 else None,
                api_key_id=job.api_key_id,
                job_id=job.id,
                state=ChangeState.OPEN,
            )
            await begin_in_parts(tx, change)
            await plan_selection(tx, change, pages)
            await jobs.set_change(tx, job.id, change.id)
        await save_step(
            tx,
            claimed,
            JobStage.APPLY,
            PartPosition(leads=0),
            progress=0.0,
            counts=JobCounts(selected=count),
            lease_ms=lease_ms,
        )


@retried
async def apply_part(
    db: Database, claimed: ClaimedJob, position: PartPosition, *, lease_ms: int
) -> PartPosition | None:
    """Applies the part at the position. Returns the position of the next part, None if there was no part any more.
    Raises LeaseLost."""
    job = claimed.job
    async with db.write(claimed.account_group_id) as tx:
        await lock_audiences(tx, job.audience_ids)
        await hold(tx, claimed)
        change = await changes.lock_open(tx, job.id)
        applied = None if change is None else await _apply(tx, claimed, change, position)
        if change is None or applied is None:
            return None
        following = PartPosition(leads=position.leads + applied.leads)
        await save_step(
            tx,
            claimed,
            JobStage.APPLY,
            following,
            progress=following.leads / change.lead_count,
            counts=JobCounts(applied=applied.leads, already_in_audience=applied.already_in_target),
            lease_ms=lease_ms,
        )
    metrics.leads_transferred(applied.leads)
    return following


async def _apply(tx: Transaction, claimed: ClaimedJob, change: Change, position: PartPosition) -> Applied | None:
    source = claimed.job.source_as(TransferSource, UndoSource)
    if isinstance(source, TransferSource):
        return await apply_action(tx, change, source.action, position=position.leads)
    return await apply_plan(tx, change, position=position.leads)


async def _ready_or_ours(tx: Transaction, claimed: ClaimedJob, audience_id: str) -> None:
    """Refuses an audience that another job is changing. Its own audiences are reserved by this job."""
    if audience_id not in claimed.job.audience_ids:
        await ready_audience(tx, audience_id)
