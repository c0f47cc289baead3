"""Prospecting jobs as the workers see them: claimed with a lease, saved batch by batch, handed back or ended.

Every function is a transaction of one account group. Whoever lost the lease, or whose job was cancelled, gets
LeaseLost, and nothing of what it wanted to write remains. docs/decisions/0016 has the argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from leadyard.clock import now_ms
from leadyard.errors import InvalidProspect, LeaseLost
from leadyard.model import (
    Batch,
    ClaimedJob,
    JobCounts,
    JobError,
    JobStage,
    JobStatus,
    Lead,
    MemberFilter,
)
from leadyard.operations.bringing_in import bring_in, check_batch, rejected_rows
from leadyard.operations.email_address import normalised_email
from leadyard.operations.guards import lock_audiences
from leadyard.operations.operation import retried
from leadyard.operations.profile_text import storable
from leadyard.store import job_leases, job_rejections, jobs, leads, memberships, uploads
from leadyard.store.db import Database, Transaction
from leadyard.watching import metrics

KEEP_REJECTIONS_MS = 30 * 24 * 3_600_000
_GROUPS_LOOKED_AT = 5
_GROUPS_A_ROUND = 20
_REJECTIONS_A_BATCH = 5_000


@retried
async def claim_job(db: Database, *, lease_ms: int, after_group: str) -> ClaimedJob | None:
    """Returns a job to work on for `lease_ms`, None if there is none.

    First a look, without locks, at whose turn it is: the account group with the fewest running jobs, and among equals
    the next one after `after_group`, which was served last. Then the oldest job of that group, passing over rows that
    somebody else is claiming.
    """
    async with db.read(None) as tx:
        now = await job_leases.clock_ms(tx)
        groups = await job_leases.list_waiting_groups(tx, now=now, after=after_group, limit=_GROUPS_LOOKED_AT)
    for group_id in groups:
        if (claimed := await _claim_in(db, group_id, lease_ms=lease_ms)) is not None:
            return claimed
    return None


@retried
async def is_somebody_left_out(db: Database, *, account_group_id: str) -> bool:
    """Returns whether another account group has a job to do while nobody works for it."""
    async with db.read(None) as tx:
        now = await job_leases.clock_ms(tx)
        return await job_leases.is_group_left_out(tx, now=now, besides=account_group_id)


@retried
async def extend_lease(db: Database, claimed: ClaimedJob, *, lease_ms: int) -> None:
    """Says that the worker is alive. Raises LeaseLost."""
    async with db.write(claimed.account_group_id) as tx:
        # First the lock, for which we may wait as long as a batch is being saved; a time read before it would be old by
        # then, and take back what the batch has just extended.
        await _hold(tx, claimed)
        await job_leases.extend(tx, claimed, now=await job_leases.clock_ms(tx), lease_ms=lease_ms)


@retried
async def save_batch(db: Database, claimed: ClaimedJob, batch: Batch, *, lease_ms: int) -> JobCounts:
    """Brings the batch in: leads, memberships, count, rejected rows, counts of the job, progress and where the
    next batch begins, all or nothing. Returns what this batch has added to the counts. Raises LeaseLost."""
    checked = check_batch(batch)
    async with db.write(claimed.account_group_id) as tx:
        audience = (await lock_audiences(tx, [claimed.job.audience_id]))[0]
        await _hold(tx, claimed)
        # Never before the job was started, even if this machine's clock says so: by their times the enrichment tells
        # the members that this job has added.
        after_start = replace(audience, changed_at=max(audience.changed_at, claimed.job.created_at))
        result = await bring_in(tx, after_start, checked)
        rejected = rejected_rows(batch, result)
        await job_rejections.insert(tx, claimed.job.id, rejected)
        counts = JobCounts(
            read=len(batch.profiles) + len(batch.rejected),
            created=result.created,
            matched=result.matched,
            added=result.added,
            already_in_audience=result.already_in_audience,
            rejected=len(rejected),
        )
        await _save(tx, claimed, JobStage.IMPORT, batch.position, batch.progress, counts, lease_ms)
    metrics.job_batch_saved(leads=counts.created + counts.matched, rejected=counts.rejected)
    return counts


@retried
async def begin_enrichment(db: Database, claimed: ClaimedJob, *, lease_ms: int) -> int:
    """Ends the import of the job and returns for how many leads an e-mail is to be looked for. Raises LeaseLost."""
    async with db.write(claimed.account_group_id) as tx:
        await _hold(tx, claimed)
        job = claimed.job
        total = await memberships.count_without_email(tx, job.audience_id, added_from=job.created_at)
        position = {"after": "", "done": 0, "total": total}
        await _save(tx, claimed, JobStage.ENRICHMENT, position, 0.0, JobCounts(), lease_ms)
    return total


@retried
async def list_leads_without_email(db: Database, claimed: ClaimedJob, *, after: str, limit: int) -> list[Lead]:
    """Returns at most `limit` leads that the job has added to its audience and that have no e-mail, by id."""
    wanted = MemberFilter(has_email=False, added_after=claimed.job.created_at - 1)
    async with db.read(claimed.account_group_id) as tx:
        found = await memberships.list_filtered(
            tx, claimed.job.audience_id, wanted, among=None, after=after, limit=limit
        )
    return [member.lead for member in found]


@retried
async def save_emails(
    db: Database,
    claimed: ClaimedJob,
    emails: Mapping[str, str],
    *,
    position: Mapping[str, Any],
    progress: float,
    lease_ms: int,
) -> int:
    """Writes e-mails (by lead id) where there still is none; one that is not valid, or that another lead has, is left
    out. Returns how many were written. Raises LeaseLost."""
    wanted = {lead_id: email for lead_id, text in emails.items() if (email := _usable_email(text)) is not None}
    async with db.write(claimed.account_group_id) as tx:
        await _hold(tx, claimed)
        written = await _write_emails(tx, wanted) if wanted else 0
        await _save(tx, claimed, JobStage.ENRICHMENT, position, progress, JobCounts(emails_found=written), lease_ms)
    return written


@retried
async def complete_job(db: Database, claimed: ClaimedJob) -> None:
    """Ends the job as completed; the upload it has read is no longer needed. Raises LeaseLost."""
    await _end(db, claimed, JobStatus.COMPLETED, None)


@retried
async def fail_job(db: Database, claimed: ClaimedJob, error: JobError) -> None:
    """Ends the job as failed; its audience keeps what it has. Raises LeaseLost."""
    await _end(db, claimed, JobStatus.FAILED, replace(error, message=storable(error.message)))


@retried
async def hand_back(db: Database, claimed: ClaimedJob, *, pause_ms: int = 0, failed: bool = False) -> bool:
    """Ends the lease so that any worker may go on after the pause. Returns whether it was still held; if not, nothing
    is done."""
    async with db.write(claimed.account_group_id) as tx:
        now = await job_leases.clock_ms(tx)
        return await job_leases.hand_back(tx, claimed, now=now, pause_ms=pause_ms, failed=failed, updated_at=now_ms())


@retried
async def prune_rejected_rows(db: Database) -> int:
    """Removes a batch of the rejected rows of jobs that ended 30 days ago. Returns how many; 0 means all are gone."""
    before = now_ms() - KEEP_REJECTIONS_MS
    async with db.read(None) as tx:
        groups = await job_rejections.list_groups_with_old(tx, before=before, limit=_GROUPS_A_ROUND)
    removed = 0
    for group_id in groups:
        removed += await _prune_in(db, group_id, before=before)
    return removed


async def _claim_in(db: Database, account_group_id: str, *, lease_ms: int) -> ClaimedJob | None:
    async with db.write(account_group_id) as tx:
        now = await job_leases.clock_ms(tx)
        return await job_leases.claim(tx, now=now, lease_ms=lease_ms, updated_at=now_ms())


async def _prune_in(db: Database, account_group_id: str, *, before: int) -> int:
    async with db.write(account_group_id) as tx:
        return await job_rejections.remove_old(tx, before=before, limit=_REJECTIONS_A_BATCH)


async def _hold(tx: Transaction, claimed: ClaimedJob) -> None:
    if not await job_leases.hold(tx, claimed):
        raise _lost(claimed)


async def _save(
    tx: Transaction,
    claimed: ClaimedJob,
    stage: JobStage,
    position: Mapping[str, Any],
    progress: float,
    counts: JobCounts,
    lease_ms: int,
) -> None:
    await job_leases.save(
        tx,
        claimed,
        stage=stage,
        position=position,
        progress=min(max(progress, 0.0), 1.0),
        counts=counts,
        now=await job_leases.clock_ms(tx),
        lease_ms=lease_ms,
        updated_at=now_ms(),
    )


async def _end(db: Database, claimed: ClaimedJob, status: JobStatus, error: JobError | None) -> None:
    async with db.write(claimed.account_group_id) as tx:
        await _hold(tx, claimed)
        await jobs.end(tx, claimed.job.id, status=status, error=error, updated_at=now_ms())
        upload_id = claimed.job.source.get("uploadId")
        if upload_id is not None and status is JobStatus.COMPLETED:
            await uploads.expire(tx, upload_id)
    metrics.job_ended(status)


async def _write_emails(tx: Transaction, emails: Mapping[str, str]) -> int:
    locked = await leads.lock(tx, sorted(emails))
    taken = await leads.find_known(
        tx, public_identifiers=[], emails=set(emails.values()), provider_ids=[], lone_provider_ids=[]
    )
    used = {lead.profile.email for lead in taken}
    filled: list[Lead] = []
    for lead in locked:
        email = emails[lead.id]
        if lead.profile.email is None and email not in used:
            used.add(email)
            filled.append(replace(lead, profile=replace(lead.profile, email=email)))
    if filled:
        await leads.update(tx, filled)
    return len(filled)


def _lost(claimed: ClaimedJob) -> LeaseLost:
    return LeaseLost(f"Job {claimed.job.id} is somebody else's now, or it was cancelled; stop working on it.")


def _usable_email(text: str) -> str | None:
    try:
        return normalised_email(storable(text))
    except InvalidProspect:
        return None
