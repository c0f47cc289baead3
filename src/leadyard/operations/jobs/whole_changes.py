"""Jobs that make one change completely or not at all, whatever the change is: ends them, and takes them back.

A job that is cancelled or fails before it has changed anything ends at once. Otherwise it first takes back what it has
applied: it stays active, and its audiences reserved, until everything is as it was before. docs/decisions/0042 has the
argument.
"""

from __future__ import annotations

from leadyard.clock import now_ms
from leadyard.database import Database, Transaction
from leadyard.ids import ERASED_ID
from leadyard.model import (
    EVENT_OF_END,
    ClaimedJob,
    Job,
    JobCounts,
    JobError,
    JobStage,
    JobStatus,
    PartPosition,
    UndoSource,
)
from leadyard.operations.changes.chains import read_chain
from leadyard.operations.changes.parts import take_back_last
from leadyard.operations.changes.recording import complete
from leadyard.operations.changes.undone_deletions import delete_if_empty, takes_back_audience
from leadyard.operations.changes.undone_imports import withdraw_unused
from leadyard.operations.events.recording import record_job
from leadyard.operations.jobs.held_job import end, hold, save_step
from leadyard.operations.operation import retried
from leadyard.store import audiences, changes, jobs, planned_parts
from leadyard.store.planned_parts import Part
from leadyard.watching import metrics


async def give_up(tx: Transaction, job: Job, status: JobStatus, error: JobError | None = None) -> bool:
    """Ends the locked job, whose audiences are locked too, or lets it take back first what it has applied. Returns
    whether it has ended."""
    # After the last report of the job, so that its events stay in their order if the clock stands still or steps back.
    now = max(now_ms(), job.updated_at + 1)
    change = await changes.lock_open(tx, job.id)
    if change is not None and await planned_parts.needs_reversal(tx, change.id):
        await jobs.begin_reversal(tx, job.id, ends_as=status, error=error, updated_at=now)
        return False
    if change is not None:
        await planned_parts.remove_change(tx, change.id)
    await _delete_again(tx, job)
    await jobs.end(tx, job.id, status=status, error=error, updated_at=now)
    await record_job(tx, EVENT_OF_END[status], job, at=now, error_code=error.code if error else None)
    return True


@retried
async def complete_whole_change(db: Database, claimed: ClaimedJob) -> None:
    """Ends the job: as completed, and its change is in the record from then on, or as it had to when it began to take
    it back. Raises LeaseLost."""
    job = claimed.job
    async with db.write(claimed.account_group_id) as tx:
        await audiences.lock(tx, job.audience_ids)
        await hold(tx, claimed)
        if job.ends_as is None and isinstance(job.source, UndoSource):
            await _note_undone(tx, job, job.source)
        await end(tx, claimed, job.ends_as or JobStatus.COMPLETED, job.error)
    metrics.job_ended(job.ends_as or JobStatus.COMPLETED)


@retried
async def take_back_part(db: Database, claimed: ClaimedJob, *, lease_ms: int) -> bool:
    """Takes back the last part that the job has applied or planned. Returns False if there was none any more, and
    everything is as it was before the job. Raises LeaseLost."""
    job = claimed.job
    async with db.write(claimed.account_group_id) as tx:
        await audiences.lock(tx, job.audience_ids)
        await hold(tx, claimed)
        change = await changes.lock_open(tx, job.id)
        part = None if change is None else await take_back_last(tx, change)
        if part is not None and change is not None:
            await _withdraw_again(tx, job, part)
            done = 1 - part.position / max(1, change.lead_count)
            counts = JobCounts() if part.is_planned else JobCounts(applied=-len(part.effect.lead_ids))
            position = PartPosition(leads=part.position)
            await save_step(tx, claimed, JobStage.REVERT, position, progress=done, counts=counts, lease_ms=lease_ms)
            return True
        if change is not None:
            await planned_parts.remove_change(tx, change.id)
        await _delete_again(tx, job)
    return False


async def _note_undone(tx: Transaction, job: Job, source: UndoSource) -> None:
    undo = await changes.lock_open(tx, job.id)
    chain = await read_chain(tx, source.change_id)
    if undo is None or not await changes.mark_undone_by_job(tx, source.change_id, undone_by=undo.id):
        raise RuntimeError(f"Job {job.id} has not undone change {source.change_id}.")
    if takes_back_audience(chain) and undo.source_audience_id is not None:
        # Before the deletion, so that its event comes first.
        await complete(tx, job.id)
        await delete_if_empty(tx, undo.source_audience_id, undo)


async def _withdraw_again(tx: Transaction, job: Job, part: Part) -> None:
    """Takes the people out of the account group again whom the part has brought back, unless something else has used
    them since."""
    if not part.created_count or not isinstance(job.source, UndoSource):
        return
    chain = [each.id for each in await read_chain(tx, job.source.change_id)]
    people = [lead_id for lead_id in part.effect.lead_ids[: part.created_count] if lead_id != ERASED_ID]
    apart_from = chain if job.change_id is None else [job.change_id, *chain]
    await withdraw_unused(tx, job.source.change_id, people, apart_from=apart_from)


async def _delete_again(tx: Transaction, job: Job) -> None:
    """Deletes the audience again that the start of the undo had brought back."""
    source = job.source
    if isinstance(source, UndoSource) and source.restored_audience_id is not None:
        [audience] = (await audiences.lock(tx, [source.restored_audience_id])).values()
        now = max(now_ms(), audience.changed_at)
        await audiences.mark_deleted(tx, audience.audience.id, change_id=source.change_id, now=now)
