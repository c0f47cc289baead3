"""Prospecting jobs as those who ask for them see them: started, watched, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadyard.clock import now_ms
from leadyard.errors import (
    JobNotCancellable,
    LeadyardError,
    MaxResultsTooLarge,
    NotFound,
    SourceNotConfigured,
    TooManyJobs,
)
from leadyard.ids import new_id
from leadyard.model import (
    ACTIVE_JOB_STATUSES,
    MAX_ACTIVE_JOBS,
    PROVIDER_JOB_TYPES,
    Audience,
    AudienceType,
    Caller,
    Job,
    JobCounts,
    JobStage,
    JobStatus,
    Page,
    Permission,
    RejectedRow,
)
from leadyard.operations.guards import lock_audiences, refuse_if_populating, usable_upload
from leadyard.operations.idempotency import remember_answer
from leadyard.operations.operation import operation
from leadyard.operations.profile_text import storable
from leadyard.store import account_groups, audiences, job_rejections, jobs
from leadyard.store.audiences import LockedAudience
from leadyard.store.db import Database, Transaction
from leadyard.watching import metrics


@operation(Permission.PROSPECTING_WRITE)
async def start_prospecting(
    db: Database,
    caller: Caller,
    *,
    type: AudienceType,
    source: Mapping[str, Any],
    audience_id: str | None = None,
    audience_name: str | None = None,
    max_results: int | None = None,
    search_emails: bool = False,
    provider_is_configured: bool,
    unusable: LeadyardError | None = None,
) -> Job:
    """Queues a job that fills an audience: the one with `audience_id`, or a new one of that name and the job's type.

    `source` holds what the type needs (see model.Job). Job and new audience are written together. Raises NotFound for
    the audience or the upload, SourceNotConfigured, AudienceNotReady while another job populates the audience,
    MaxResultsTooLarge, TooManyJobs; and `unusable`, what the door has found wrong with the file, when nothing else is.
    """
    async with db.write(caller.account_group_id) as tx:
        target = await _target(tx, audience_id, audience_name or "", type)
        upload_id = source.get("uploadId")
        if upload_id is not None:
            upload = await usable_upload(tx, upload_id)
            source = {**source, "uploadBytes": upload.size_bytes}
        from_provider = type in PROVIDER_JOB_TYPES
        if (from_provider or search_emails) and not provider_is_configured:
            raise SourceNotConfigured
        await refuse_if_populating(tx, [target])
        if from_provider:
            source = {**source, "maxResults": await _allowed_results(tx, caller, max_results)}
        if await jobs.count_of_group(tx) >= MAX_ACTIVE_JOBS:
            raise TooManyJobs
        if unusable is not None:
            raise unusable
        # Later than any change before it, so that the members this job has added can be told by their times.
        now = max(now_ms(), target.changed_at + 1)
        job = _queued_job(caller, target.audience.id, type, _storable(source), search_emails, now=now)
        await jobs.insert(tx, job, upload_id=upload_id)
        await remember_answer(tx, caller, job)
    return job


@operation(Permission.PROSPECTING_READ)
async def list_jobs(
    db: Database, caller: Caller, *, status: JobStatus | None, before: str | None, limit: int
) -> Page[Job]:
    """Returns a page of the jobs of that status, or of all, newest first; `before` is the page's `next_key`."""
    async with db.read(caller.account_group_id) as tx:
        found = await jobs.list_newest_first(tx, status=status, before=before, limit=limit + 1)
    return Page.of(found, limit, lambda job: job.id)


@operation(Permission.PROSPECTING_READ)
async def get_job(db: Database, caller: Caller, *, job_id: str) -> Job:
    """Returns the job. Raises NotFound."""
    async with db.read(caller.account_group_id) as tx:
        return _found(await jobs.find(tx, job_id), job_id)


@operation(Permission.PROSPECTING_WRITE)
async def cancel_job(db: Database, caller: Caller, *, job_id: str) -> Job:
    """Cancels a queued or running job and returns it. The audience keeps what it has; a batch under way is committed
    before this or refused after it. Raises NotFound and JobNotCancellable."""
    async with db.write(caller.account_group_id) as tx:
        job = _found(await jobs.lock(tx, job_id), job_id)
        if job.status not in ACTIVE_JOB_STATUSES:
            raise JobNotCancellable(status=job.status)
        await jobs.end(tx, job_id, status=JobStatus.CANCELLED, error=None, updated_at=max(now_ms(), job.updated_at))
        cancelled = _found(await jobs.find(tx, job_id), job_id)
        await remember_answer(tx, caller, cancelled)
    metrics.job_ended(cancelled.status)
    return cancelled


@operation(Permission.PROSPECTING_READ)
async def list_rejected_rows(
    db: Database, caller: Caller, *, job_id: str, after: int, limit: int
) -> tuple[list[RejectedRow], int | None]:
    """Returns at most `limit` rejected rows of the job in the order of the source, and the number to continue after,
    None at the end. Raises NotFound for the job."""
    async with db.snapshot(caller.account_group_id) as tx:
        _found(await jobs.find(tx, job_id), job_id)
        found = await job_rejections.list_after(tx, job_id, after=after, limit=limit)
    return [row for _, row in found], found[-1][0] if len(found) == limit else None


async def _target(tx: Transaction, audience_id: str | None, audience_name: str, type: AudienceType) -> LockedAudience:
    """Returns the audience, locked, or a new one, which nobody else can see yet."""
    if audience_id is not None:
        return (await lock_audiences(tx, [audience_id]))[0]
    audience = Audience(
        id=new_id(),
        name=audience_name,
        type=type,
        description=None,
        folder_id=None,
        prospect_count=0,
        created_at=now_ms(),
    )
    await audiences.insert(tx, audience)
    return LockedAudience(audience, audience.created_at)


async def _allowed_results(tx: Transaction, caller: Caller, asked: int | None) -> int:
    group = await account_groups.find(tx, caller.account_group_id)
    if group is None:
        raise NotFound("account group", caller.account_group_id)
    if asked is not None and asked > group.max_results:
        raise MaxResultsTooLarge(most=group.max_results)
    return asked or group.max_results


def _queued_job(
    caller: Caller, audience_id: str, type: AudienceType, source: Mapping[str, Any], search_emails: bool, *, now: int
) -> Job:
    return Job(
        id=new_id(),
        type=type,
        status=JobStatus.QUEUED,
        audience_id=audience_id,
        source=source,
        search_emails=search_emails,
        stage=JobStage.IMPORT,
        import_progress=0.0,
        enrichment_progress=0.0,
        counts=JobCounts(),
        error=None,
        api_key_id=caller.api_key_id,
        created_at=now,
        updated_at=now,
    )


def _storable(source: Mapping[str, Any]) -> dict[str, Any]:
    urls = source.get("profileUrls")
    return {**source, "profileUrls": [storable(url) for url in urls]} if urls else dict(source)


def _found(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise NotFound("job", job_id)
    return job
