"""The steps of a prospecting job: its worker adds people batch by batch, then their e-mails.

Each step is one transaction that holds the job (`held_job.py`), so it is saved completely or not at all, and only once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from leadyard.clock import now_ms
from leadyard.database import Database, Transaction
from leadyard.errors import InvalidProspect
from leadyard.model import (
    Batch,
    ClaimedJob,
    CsvSource,
    EnrichmentPosition,
    JobCounts,
    JobStage,
    JobStatus,
    Lead,
    MemberFilter,
    Profile,
)
from leadyard.operations.add_people import bring_in, outcome_of
from leadyard.operations.changes.imports import record_batch_of_job
from leadyard.operations.changes.recording import moment_after
from leadyard.operations.guards import lock_audiences
from leadyard.operations.jobs.held_job import end, hold, save_step
from leadyard.operations.jobs.queueing import found_job
from leadyard.operations.known_people import find_known_people
from leadyard.operations.operation import retried
from leadyard.operations.suppressed_people import find_suppressed_emails
from leadyard.operations.uploads import KEPT_MS
from leadyard.people.checking import check_batch
from leadyard.people.email_address import normalised_email
from leadyard.people.placeholders import is_of_no_person
from leadyard.people.text_rules import storable
from leadyard.store import job_rejections, leads, memberships, uploads
from leadyard.watching import metrics

KEEP_REJECTIONS_MS = 30 * 24 * 3_600_000
_GROUPS_A_ROUND = 20
_REJECTIONS_A_BATCH = 5_000


@retried
async def save_batch(db: Database, claimed: ClaimedJob, batch: Batch, *, lease_ms: int) -> JobCounts:
    """Writes the batch: leads, memberships, count, rejected and noted rows, counts of the job, progress and the
    position of the next batch, all or nothing. Returns the counts of this batch. Raises LeaseLost."""
    checked = check_batch(batch)
    async with db.write(claimed.account_group_id) as tx:
        audience = (await lock_audiences(tx, [claimed.job.audience_id]))[0]
        await hold(tx, claimed)
        # Never earlier than the start of the job, even if the clock of this machine is slow, because the enrichment
        # finds the members that this job has added by their times.
        after_start = replace(audience, changed_at=max(audience.changed_at, claimed.job.created_at))
        on_known = claimed.job.prospecting_source.on_known
        brought = await bring_in(tx, after_start, checked, on_known=on_known, at=moment_after(after_start))
        await record_batch_of_job(tx, after_start, brought, job_id=claimed.job.id, api_key_id=claimed.job.api_key_id)
        outcome = outcome_of(batch, brought.result)
        counts = outcome.counts
        await job_rejections.insert(tx, claimed.job.id, outcome.remarks)
        await save_step(
            tx, claimed, JobStage.IMPORT, batch.position, progress=batch.progress, counts=counts, lease_ms=lease_ms
        )
    metrics.job_batch_saved(leads=counts.created + counts.matched, rejected=counts.rejected)
    return counts


@retried
async def begin_enrichment(db: Database, claimed: ClaimedJob, *, lease_ms: int) -> EnrichmentPosition:
    """Ends the import of the job. Returns the position where its enrichment begins, which contains the number of leads
    without e-mail. Raises LeaseLost."""
    async with db.write(claimed.account_group_id) as tx:
        await hold(tx, claimed)
        job = claimed.job
        total = await memberships.count_without_email(tx, job.audience_id, added_from=job.created_at)
        position = EnrichmentPosition(total=total)
        await save_step(tx, claimed, JobStage.ENRICHMENT, position, progress=0.0, lease_ms=lease_ms)
    return position


@retried
async def list_leads_without_email(db: Database, claimed: ClaimedJob, *, after: str, limit: int) -> list[Lead]:
    """Returns at most `limit` leads without e-mail that the job has added to its audience, ordered by id."""
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
    position: EnrichmentPosition,
    progress: float,
    lease_ms: int,
) -> int:
    """Writes e-mails (by lead id) to leads that still have none. Leaves out an e-mail that is not valid, is suppressed,
    or that another lead has. Returns the number of written e-mails. Raises LeaseLost."""
    wanted = {lead_id: email for lead_id, text in emails.items() if (email := _usable_email(text)) is not None}
    async with db.write(claimed.account_group_id) as tx:
        await hold(tx, claimed)
        written = await _write_emails(tx, wanted) if wanted else 0
        counts = JobCounts(emails_found=written)
        await save_step(tx, claimed, JobStage.ENRICHMENT, position, progress=progress, counts=counts, lease_ms=lease_ms)
    return written


@retried
async def complete_prospecting(db: Database, claimed: ClaimedJob) -> None:
    """Ends the job as completed. The upload that it has read expires, unless no person came of it: then it stays for
    another attempt with other columns, at least as long as after its arrival. Raises LeaseLost."""
    async with db.write(claimed.account_group_id) as tx:
        await lock_audiences(tx, claimed.job.audience_ids)
        await hold(tx, claimed)
        await end(tx, claimed, JobStatus.COMPLETED)
        if isinstance(claimed.job.source, CsvSource):
            upload_id = claimed.job.source.file.upload_id
            counts = (await found_job(tx, claimed.job.id, claimed.job.kind)).counts
            if counts.created or counts.matched:
                await uploads.expire(tx, upload_id)
            else:
                await uploads.keep(tx, upload_id, expires_at=now_ms() + KEPT_MS)
    metrics.job_ended(JobStatus.COMPLETED)


@retried
async def prune_rejected_rows(db: Database) -> int:
    """Removes a batch of the rejected rows of jobs that ended more than 30 days ago. Returns the number of removed
    rows: 0 means that there is nothing left to do."""
    before = now_ms() - KEEP_REJECTIONS_MS
    async with db.read(None) as tx:
        groups = await job_rejections.list_groups_with_old(tx, before=before, limit=_GROUPS_A_ROUND)
    removed = 0
    for group_id in groups:
        removed += await _prune_in(db, group_id, before=before)
    return removed


async def _prune_in(db: Database, account_group_id: str, *, before: int) -> int:
    async with db.write(account_group_id) as tx:
        return await job_rejections.remove_old(tx, before=before, limit=_REJECTIONS_A_BATCH)


async def _write_emails(tx: Transaction, emails: Mapping[str, str]) -> int:
    locked = await leads.lock(tx, sorted(emails))
    found = [Profile(email=email) for email in sorted(set(emails.values()))]
    taken = await find_known_people(tx, found, any_shared=True)
    used = {lead.profile.email for lead in taken.leads} | {other.value for other in taken.others}
    used |= await find_suppressed_emails(tx, set(emails.values()))
    before: list[Lead] = []
    filled: list[Lead] = []
    for lead in locked:
        email = emails[lead.id]
        if lead.profile.email is None and email not in used:
            used.add(email)
            before.append(lead)
            filled.append(replace(lead, profile=replace(lead.profile, email=email)))
    if filled:
        await leads.update(tx, filled, before=before)
    return len(filled)


def _usable_email(text: str) -> str | None:
    try:
        email = normalised_email(storable(text))
    except InvalidProspect:
        return None
    return None if is_of_no_person(email) else email
