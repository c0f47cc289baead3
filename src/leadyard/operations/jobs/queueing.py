"""Queues and cancels jobs inside the transaction of an operation. For all kinds of jobs."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.errors import JobNotCancellable, NotFound, TooManyJobs
from leadyard.ids import new_id
from leadyard.model import (
    ACTIVE_JOB_STATUSES,
    MAX_ACTIVE_JOBS,
    Caller,
    EventType,
    Job,
    JobCounts,
    JobKind,
    JobSource,
    JobStage,
    JobStatus,
)
from leadyard.operations.changes.recording import complete
from leadyard.operations.events.recording import record_job
from leadyard.store import audiences, jobs
from leadyard.store.audiences import LockedAudience


async def refuse_too_many_jobs(tx: Transaction) -> None:
    """Raises TooManyJobs if the account group has the maximum number of active jobs."""
    if await jobs.count_of_group(tx) >= MAX_ACTIVE_JOBS:
        raise TooManyJobs


async def queue_job(
    tx: Transaction,
    caller: Caller,
    kind: JobKind,
    audiences: tuple[LockedAudience] | tuple[LockedAudience, LockedAudience],
    source: JobSource,
    stages: tuple[JobStage, ...],
    *,
    lead_ids: Sequence[str] | None = None,
    excluded: Sequence[str] = (),
) -> Job:
    """Adds a queued job on the locked audiences and returns it. Check first that no active job has one of them. The
    lists are of a transfer."""
    # Later than all earlier changes, so that the enrichment can find the members that the job adds by their times.
    now = max(now_ms(), *(each.changed_at + 1 for each in audiences))
    first, *second = (each.audience.id for each in audiences)
    job = Job(
        id=new_id(),
        kind=kind,
        status=JobStatus.QUEUED,
        audience_ids=(first, second[0]) if second else (first,),
        source=source,
        stages=stages,
        stage=stages[0],
        progress=dict.fromkeys(stages, 0.0),
        counts=JobCounts(),
        error=None,
        api_key_id=caller.api_key_id,
        created_at=now,
        updated_at=now,
    )
    await jobs.insert(tx, job, lead_ids=lead_ids, excluded=excluded)
    await record_job(tx, EventType.JOB_STARTED, job, at=now)
    return job


async def found_job(tx: Transaction, job_id: str, *kinds: JobKind) -> Job:
    """Returns the job of one of these kinds. Raises NotFound."""
    return _found(await jobs.find(tx, job_id, *kinds), job_id)


async def end_as_cancelled(tx: Transaction, job_id: str, kind: JobKind) -> Job:
    """Cancels a job of that kind and returns it. A step in progress is committed before this, or refused after it.
    Raises NotFound, and JobNotCancellable for a job that has ended."""
    # Before the job, as everywhere, because the event of its change takes a time in them.
    await audiences.lock_even_deleted(tx, (await found_job(tx, job_id, kind)).audience_ids)
    job = _found(await jobs.lock(tx, job_id, kind), job_id)
    if job.status not in ACTIVE_JOB_STATUSES:
        raise JobNotCancellable(status=job.status)
    at = max(now_ms(), job.updated_at + 1)
    await jobs.end(tx, job_id, status=JobStatus.CANCELLED, error=None, updated_at=at)
    await complete(tx, job_id)
    await record_job(tx, EventType.JOB_CANCELLED, job, at=at)
    return await found_job(tx, job_id, kind)


def _found(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise NotFound("job", job_id)
    return job
