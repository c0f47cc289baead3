"""The leases of jobs of all kinds, for the workers: claims, extends, hands back and fails jobs.

Every function is a transaction of one account group. A worker that lost the lease, or whose job was cancelled, gets
LeaseLost, and its transaction is rolled back. docs/decisions/0016 has the argument.
"""

from __future__ import annotations

from dataclasses import replace

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.model import ALL_OR_NOTHING, ClaimedJob, JobError, JobStatus
from leadyard.operations.jobs.held_job import end, hold
from leadyard.operations.jobs.whole_changes import give_up
from leadyard.operations.operation import retried
from leadyard.people.text_rules import storable
from leadyard.store import audiences, job_leases
from leadyard.watching import metrics

_GROUPS_LOOKED_AT = 5


@retried
async def claim_job(db: Database, *, lease_ms: int, after_group: str) -> ClaimedJob | None:
    """Claims a job for `lease_ms` and returns it, or None if there is none.

    A first query, without locks, finds the account group whose turn it is: the group with the fewest running jobs, and
    among equals the next one after `after_group`, which was served last. Then it claims the oldest job of that group,
    and skips rows that another worker is claiming.
    """
    async with db.read(None) as tx:
        now = await job_leases.clock_ms(tx)
        groups = await job_leases.list_waiting_groups(tx, now=now, after=after_group, limit=_GROUPS_LOOKED_AT)
    for group_id in groups:
        if (claimed := await _claim_in(db, group_id, lease_ms=lease_ms)) is not None:
            return claimed
    return None


@retried
async def claim_this_job(db: Database, account_group_id: str, job_id: str, *, lease_ms: int) -> ClaimedJob | None:
    """Claims this job for `lease_ms` and returns it, or None if another worker has it or it has ended."""
    async with db.write(account_group_id) as tx:
        now = await job_leases.clock_ms(tx)
        return await job_leases.claim(tx, now=now, lease_ms=lease_ms, updated_at=now_ms(), job_id=job_id)


@retried
async def is_another_group_left_out(db: Database, *, account_group_id: str) -> bool:
    """Returns whether another account group has a waiting job and no running one."""
    async with db.read(None) as tx:
        now = await job_leases.clock_ms(tx)
        return await job_leases.is_group_left_out(tx, now=now, besides=account_group_id)


@retried
async def extend_lease(db: Database, claimed: ClaimedJob, *, lease_ms: int) -> None:
    """Extends the lease of the job to `lease_ms` from now. Raises LeaseLost."""
    async with db.write(claimed.account_group_id) as tx:
        # Takes the lock first, which may wait while a step is being saved. A time that was read before would then be
        # old, and would shorten the lease that the step has just extended.
        await hold(tx, claimed)
        await job_leases.extend(tx, claimed, now=await job_leases.clock_ms(tx), lease_ms=lease_ms)


@retried
async def fail_job(db: Database, claimed: ClaimedJob, error: JobError) -> None:
    """Ends the job as failed. It keeps its saved steps, or, if it makes one change completely or not at all, takes them
    back first. Raises LeaseLost."""
    error = replace(error, message=storable(error.message))
    async with db.write(claimed.account_group_id) as tx:
        await audiences.lock(tx, claimed.job.audience_ids)
        await hold(tx, claimed)
        if claimed.job.kind in ALL_OR_NOTHING:
            has_ended = await give_up(tx, claimed.job, JobStatus.FAILED, error)
        else:
            await end(tx, claimed, JobStatus.FAILED, error)
            has_ended = True
    if has_ended:
        metrics.job_ended(JobStatus.FAILED)


@retried
async def hand_back(db: Database, claimed: ClaimedJob, *, pause_ms: int = 0, failed: bool = False) -> bool:
    """Ends the lease, so that any worker may continue the job after the pause. Returns whether the lease was still
    held. If not, it writes nothing."""
    async with db.write(claimed.account_group_id) as tx:
        now = await job_leases.clock_ms(tx)
        return await job_leases.hand_back(tx, claimed, now=now, pause_ms=pause_ms, failed=failed, updated_at=now_ms())


async def _claim_in(db: Database, account_group_id: str, *, lease_ms: int) -> ClaimedJob | None:
    async with db.write(account_group_id) as tx:
        now = await job_leases.clock_ms(tx)
        return await job_leases.claim(tx, now=now, lease_ms=lease_ms, updated_at=now_ms())
