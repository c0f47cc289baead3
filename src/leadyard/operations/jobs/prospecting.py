"""Prospecting jobs for users: starts, lists and cancels them, and lists their rejected rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from leadyard.database import Transaction
from leadyard.errors import MaxResultsTooLarge, NotFound, SourceNotConfigured
from leadyard.model import (
    STAGES_OF_KIND,
    Caller,
    CsvSource,
    ExistingAudience,
    Job,
    JobKind,
    JobStage,
    JobStatus,
    LinkedInSearch,
    NewAudience,
    Page,
    Permission,
    PostCommenters,
    ProfileUrls,
    ProspectingRequest,
    ProspectingSource,
    RejectedRow,
    RowHeader,
    SalesNavigatorList,
    SearchQuery,
    SearchSource,
    UploadedCsv,
    UrlSource,
)
from leadyard.operations.guards import lock_audiences, refuse_if_populating, usable_upload
from leadyard.operations.jobs.queueing import end_as_cancelled, found_job, queue_job, refuse_too_many_jobs
from leadyard.operations.new_audience import add_audience
from leadyard.operations.operation import reads, snapshot, writes
from leadyard.people.text_rules import storable
from leadyard.store import account_groups, job_rejections, jobs
from leadyard.store.audiences import LockedAudience
from leadyard.watching import metrics


@writes(Permission.PROSPECTING_WRITE)
async def start_prospecting(
    tx: Transaction,
    caller: Caller,
    *,
    asked: ProspectingRequest,
    read_header: Callable[[], RowHeader],
    provider_is_configured: bool,
) -> Job:
    """Queues a job that fills an existing audience, or a new one of the job's type, and returns the job. The job and a
    new audience are written together.

    `read_header` returns the names of the cells of a rejected row, and for a file the use of its columns. It is called
    last, so that the other refusals come before an unreadable file. Raises, in this order, NotFound for the audience or
    the upload, SourceNotConfigured, AudienceNotReady while another job has the audience, MaxResultsTooLarge,
    TooManyJobs, and the errors of `read_header`.
    """
    target = await _target(tx, asked)
    people, upload_bytes = await _people(tx, asked.people)
    if _needs_provider(asked) and not provider_is_configured:
        raise SourceNotConfigured
    await refuse_if_populating(tx, [target])
    max_results = await _allowed_results(tx, caller, asked)
    await refuse_too_many_jobs(tx)
    source = _source(people, read_header(), upload_bytes=upload_bytes, max_results=max_results)
    source = replace(source, on_known=asked.on_known)
    return await queue_job(tx, caller, JobKind.PROSPECTING, (target,), source, _stages(asked))


@reads(Permission.PROSPECTING_READ)
async def list_jobs(
    tx: Transaction, caller: Caller, *, status: JobStatus | None, before: str | None, limit: int
) -> Page[Job]:
    """Returns a page of the prospecting jobs, only those with `status` unless it is None, newest first. `before` is the
    `next_key` of a page."""
    found = await jobs.list_newest_first(tx, JobKind.PROSPECTING, status=status, before=before, limit=limit + 1)
    return Page.of(found, limit, lambda job: job.id)


@reads(Permission.PROSPECTING_READ)
async def get_job(tx: Transaction, caller: Caller, *, job_id: str) -> Job:
    """Returns the prospecting job. Raises NotFound."""
    return await found_job(tx, job_id, JobKind.PROSPECTING)


@writes(Permission.PROSPECTING_WRITE)
async def cancel_job(tx: Transaction, caller: Caller, *, job_id: str) -> Job:
    """Cancels a queued or running prospecting job and returns it. The audience keeps its members. A batch in progress
    is committed before this, or refused after it. Raises NotFound and JobNotCancellable."""
    return await end_as_cancelled(tx, job_id, JobKind.PROSPECTING)


@cancel_job.after_commit
def _count_cancelled(job: Job) -> None:
    metrics.job_ended(job.status)


@snapshot(Permission.PROSPECTING_READ)
async def list_rejected_rows(
    tx: Transaction, caller: Caller, *, job_id: str, notes: bool = False, after: int, limit: int
) -> tuple[list[RejectedRow], int | None]:
    """Returns at most `limit` rejected rows of the job in the order of the source, with the notes on imported rows if
    they are wanted, and the `after` of the next page, or None at the end. Raises NotFound for the job."""
    await found_job(tx, job_id, JobKind.PROSPECTING)
    found = await job_rejections.list_after(tx, job_id, notes=notes, after=after, limit=limit)
    return [row for _, row in found], found[-1][0] if len(found) == limit else None


async def _target(tx: Transaction, asked: ProspectingRequest) -> LockedAudience:
    match asked.audience:
        case ExistingAudience(id=audience_id):
            return (await lock_audiences(tx, [audience_id]))[0]
        case NewAudience(name=name):
            audience = await add_audience(tx, name=name, type=asked.people.type)
            return LockedAudience(audience, audience.created_at)
        case _:
            assert_never(asked.audience)


async def _people(
    tx: Transaction, people: UploadedCsv | ProfileUrls | SearchQuery
) -> tuple[UploadedCsv | ProfileUrls | SearchQuery, int]:
    """Returns the people, with the encoding that the upload names, and the size of the upload."""
    if not isinstance(people, UploadedCsv):
        return people, 0
    upload = await usable_upload(tx, people.upload_id)
    return replace(people, default_encoding=upload.charset), upload.size_bytes


def _needs_provider(asked: ProspectingRequest) -> bool:
    return asked.search_emails or isinstance(asked.people, SearchQuery)


async def _allowed_results(tx: Transaction, caller: Caller, asked: ProspectingRequest) -> int:
    if not isinstance(asked.people, SearchQuery):
        return 0
    group = await account_groups.find(tx, caller.account_group_id)
    if group is None:
        raise NotFound("account group", caller.account_group_id)
    if asked.max_results is not None and asked.max_results > group.max_results:
        raise MaxResultsTooLarge(most=group.max_results)
    return asked.max_results or group.max_results


def _source(
    people: UploadedCsv | ProfileUrls | SearchQuery, header: RowHeader, *, upload_bytes: int, max_results: int
) -> ProspectingSource:
    match people:
        case UploadedCsv():
            return CsvSource(file=people, upload_bytes=upload_bytes, header=header.names, plan=header.plan)
        case ProfileUrls(urls=urls):
            return UrlSource(profile_urls=tuple(map(storable, urls)), header=header.names)
        case LinkedInSearch() | SalesNavigatorList() | PostCommenters():
            return SearchSource(query=people, max_results=max_results, header=header.names)
        case _:
            assert_never(people)


def _stages(asked: ProspectingRequest) -> tuple[JobStage, ...]:
    stages = STAGES_OF_KIND[JobKind.PROSPECTING]
    return stages if asked.search_emails else stages[:1]
