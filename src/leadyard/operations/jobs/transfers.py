"""Transfers for users: starts, previews, lists and cancels them. An undo of a large change is listed with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from leadyard.database import Transaction
from leadyard.errors import JobNotCancellable, NotFound, SameAudience, SelectionChanged
from leadyard.model import (
    ACTIVE_JOB_STATUSES,
    MAX_SAMPLE,
    STAGES_OF_KIND,
    Caller,
    EventType,
    Job,
    JobKind,
    JobStatus,
    Page,
    Permission,
    TransferAction,
    TransferPreview,
    TransferRequest,
    TransferSource,
)
from leadyard.operations.events.recording import record_job
from leadyard.operations.guards import (
    lock_audiences,
    ready_audience,
    refuse_if_populating,
    refuse_leads_outside,
)
from leadyard.operations.jobs.queueing import found_job, queue_job, refuse_too_many_jobs
from leadyard.operations.jobs.whole_changes import give_up
from leadyard.operations.operation import reads, snapshot, writes
from leadyard.operations.selecting import chosen_leads
from leadyard.store import audiences, jobs, memberships, selections
from leadyard.store.audiences import LockedAudience
from leadyard.store.planned_parts import LeadKeys
from leadyard.watching import metrics

_KINDS = (JobKind.TRANSFER, JobKind.UNDO)
# The start of a transfer counts the selection of an audience of this size itself, which takes no longer than a move.
_COUNTED_AT_START = 10_000


@writes(Permission.AUDIENCES_WRITE)
async def start_transfer(tx: Transaction, caller: Caller, *, asked: TransferRequest) -> Job:
    """Queues a job that makes one change of all leads of the selection, and returns the job. The selection is fixed
    when the work begins. Until the job has ended, its audiences answer 409.

    If the selection is known to be empty, the job has ended already. Raises, in this order, NotFound for an audience,
    SameAudience, AudienceNotReady while a job has one of them, LeadsNotInSource if a listed lead is not in the source,
    SelectionChanged if the size is known and not the expected one, and TooManyJobs.
    """
    locked = await lock_audiences(tx, _audience_ids(asked))
    if asked.source_audience_id == asked.target_audience_id:
        raise SameAudience
    await refuse_if_populating(tx, locked)
    for audience_id in asked.selection.filter.audience_ids:
        await ready_audience(tx, audience_id)
    if asked.selection.lead_ids is not None:
        await refuse_leads_outside(tx, asked.source_audience_id, distinct(asked.selection.lead_ids))
    count = await _known_count(tx, asked, locked[0])
    if count is not None and asked.expected_count not in (None, count):
        raise SelectionChanged(count=count)
    await refuse_too_many_jobs(tx)
    job = await _queue(tx, caller, asked, locked)
    if count != 0:
        return job
    await jobs.end(tx, job.id, status=JobStatus.COMPLETED, error=None, updated_at=job.updated_at)
    await record_job(tx, EventType.JOB_COMPLETED, job, at=job.updated_at + 1)
    return await found_job(tx, job.id, JobKind.TRANSFER)


@start_transfer.after_commit
def _count_ended_at_once(job: Job) -> None:
    if job.status not in ACTIVE_JOB_STATUSES:
        metrics.job_ended(job.status)


@snapshot(Permission.AUDIENCES_WRITE)
async def preview_transfer(tx: Transaction, caller: Caller, *, asked: TransferRequest) -> TransferPreview:
    """Returns the effect that the transfer would have now. Changes nothing, and reads no people but the sample. That is
    empty for a key without the permission to read prospects. Raises what `start_transfer` raises, apart from
    TooManyJobs. The cost grows with the size of the source."""
    found = [await audiences.find(tx, audience_id) for audience_id in _audience_ids(asked)]
    for audience_id, each in zip(_audience_ids(asked), found, strict=True):
        if each is None:
            raise NotFound("audience", audience_id)
    if asked.source_audience_id == asked.target_audience_id:
        raise SameAudience
    source, *target = [
        await ready_audience(tx, audience_id)
        for audience_id in (*_audience_ids(asked), *asked.selection.filter.audience_ids)
    ]
    if asked.selection.lead_ids is not None:
        await refuse_leads_outside(tx, asked.source_audience_id, distinct(asked.selection.lead_ids))
    count, already, sample = 0, 0, selections.NONE
    async for page in _chosen(tx, asked):
        sample = sample + page[: MAX_SAMPLE - len(sample)]
        count += len(page)
        if asked.target_audience_id is not None:
            already += await selections.count_present(tx, asked.target_audience_id, page)
    if asked.expected_count not in (None, count):
        raise SelectionChanged(count=count)
    shown = sample if Permission.PROSPECTS_READ in caller.permissions else selections.NONE
    leaving = 0 if asked.action is TransferAction.COPY else count
    after = None if asked.target_audience_id is None else target[0].prospect_count + count - already
    return TransferPreview(
        count=count,
        already_in_target_count=already,
        source_count_after=source.prospect_count - leaving,
        target_count_after=after,
        sample=tuple(
            await memberships.list_some(tx, asked.source_audience_id, selections.first_ids(shown, MAX_SAMPLE))
        ),
    )


@reads(Permission.AUDIENCES_READ)
async def list_transfers(
    tx: Transaction, caller: Caller, *, status: JobStatus | None, before: str | None, limit: int
) -> Page[Job]:
    """Returns a page of the transfers and the undos of large changes, only those with `status` unless it is None,
    newest first. `before` is the `next_key` of a page."""
    found = await jobs.list_newest_first(tx, *_KINDS, status=status, before=before, limit=limit + 1)
    return Page.of(found, limit, lambda job: job.id)


@reads(Permission.AUDIENCES_READ)
async def get_transfer(tx: Transaction, caller: Caller, *, job_id: str) -> Job:
    """Returns the transfer, or the undo of a large change. Raises NotFound."""
    return await found_job(tx, job_id, *_KINDS)


@writes(Permission.AUDIENCES_WRITE)
async def cancel_transfer(tx: Transaction, caller: Caller, *, job_id: str) -> Job:
    """Cancels a queued or running transfer, or undo of a large change, and returns it. If it has changed nothing yet,
    it has ended. Otherwise it stays running until it has taken back what it did, and then it is cancelled. A part in
    progress is committed before this, or refused after it. Raises NotFound, and JobNotCancellable if the job has ended
    or is completing."""
    audience_ids = (await found_job(tx, job_id, *_KINDS)).audience_ids
    await audiences.lock_even_deleted(tx, audience_ids)
    job = await jobs.lock(tx, job_id, *_KINDS)
    if job is None:
        raise NotFound("job", job_id)
    if job.status not in ACTIVE_JOB_STATUSES or (job.ends_as is None and not job.has_way_back):
        raise JobNotCancellable(status=job.status)
    if job.ends_as is not None:
        return job
    await give_up(tx, job, JobStatus.CANCELLED)
    return await found_job(tx, job_id, *_KINDS)


@cancel_transfer.after_commit
def _count_cancelled(job: Job) -> None:
    if job.status is JobStatus.CANCELLED:
        metrics.job_ended(job.status)


def distinct(lead_ids: Sequence[str]) -> list[str]:
    """Returns the ids without repeated ones, in the same order."""
    return list(dict.fromkeys(lead_ids))


def _audience_ids(asked: TransferRequest) -> list[str]:
    return [each for each in (asked.source_audience_id, asked.target_audience_id) if each is not None]


def _chosen(tx: Transaction, asked: TransferRequest) -> AsyncIterator[LeadKeys]:
    selection = asked.selection
    return chosen_leads(
        tx,
        asked.source_audience_id,
        selection.filter,
        listed=None if selection.lead_ids is None else selections.keys_from(selection.lead_ids),
        excluded=selections.keys_from(selection.excluded),
        limit=selection.limit,
    )


async def _known_count(tx: Transaction, asked: TransferRequest, source: LockedAudience) -> int | None:
    """Returns the size of the selection, or None if it would take too long to count it before the answer."""
    if asked.selection.lead_ids is None and source.audience.prospect_count > _COUNTED_AT_START:
        return None
    return sum([len(page) async for page in _chosen(tx, asked)])


async def _queue(tx: Transaction, caller: Caller, asked: TransferRequest, locked: Sequence[LockedAudience]) -> Job:
    selection = asked.selection
    source = TransferSource(
        action=asked.action,
        is_listed=selection.lead_ids is not None,
        filter=selection.filter,
        limit=selection.limit,
        expected_count=asked.expected_count,
    )
    return await queue_job(
        tx,
        caller,
        JobKind.TRANSFER,
        (locked[0], locked[1]) if len(locked) > 1 else (locked[0],),
        source,
        STAGES_OF_KIND[JobKind.TRANSFER],
        lead_ids=None if selection.lead_ids is None else distinct(selection.lead_ids),
        excluded=distinct(selection.excluded),
    )
