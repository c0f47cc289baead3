"""Writes the job that a worker holds, inside the worker's transaction. For all kinds of jobs."""

from __future__ import annotations

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.errors import LeaseLost
from leadyard.model import EVENT_OF_END, ClaimedJob, JobCounts, JobError, JobPosition, JobStage, JobStatus
from leadyard.operations.changes.recording import complete
from leadyard.operations.events.recording import record_job
from leadyard.store import job_leases, jobs


async def hold(tx: Transaction, claimed: ClaimedJob) -> None:
    """Locks the job until the transaction ends. Raises LeaseLost if another worker has claimed it or it has ended, and
    then the transaction must not commit. Lock audiences before the job."""
    if not await job_leases.hold(tx, claimed):
        raise LeaseLost(f"Job {claimed.job.id} was cancelled, or another worker has it now. Stop working on it.")


async def save_step(
    tx: Transaction,
    claimed: ClaimedJob,
    stage: JobStage,
    position: JobPosition,
    *,
    progress: float,
    counts: JobCounts | None = None,
    lease_ms: int,
) -> None:
    """Writes the state of the held job after a step: its stage, the position where the next step begins, the progress
    of the stage from 0 to 1, and the counts of this step. Extends the lease, and resets the count of failures."""
    await job_leases.save(
        tx,
        claimed,
        stage=stage,
        position=position,
        progress=min(max(progress, 0.0), 1.0),
        counts=counts or JobCounts(),
        now=await job_leases.clock_ms(tx),
        lease_ms=lease_ms,
        updated_at=now_ms(),
    )


async def end(tx: Transaction, claimed: ClaimedJob, status: JobStatus, error: JobError | None = None) -> None:
    """Ends the held job, and with it its change, which then appears in the record. Its audiences are free after the
    commit."""
    at = max(now_ms(), claimed.job.updated_at + 1)
    await jobs.end(tx, claimed.job.id, status=status, error=error, updated_at=at)
    await complete(tx, claimed.job.id)
    ended = await jobs.find(tx, claimed.job.id, claimed.job.kind)
    if ended is not None:
        await record_job(tx, EVENT_OF_END[status], ended, at=at, error_code=error.code if error else None)
