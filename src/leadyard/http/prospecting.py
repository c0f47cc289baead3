"""Prospecting jobs over HTTP: started, listed, watched, cancelled, and the rows they rejected."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from leadyard import model
from leadyard.errors import UnknownColumn, UnreadableFile
from leadyard.http.caller import caller, database
from leadyard.http.envelope import (
    Id,
    Instant,
    Listing,
    Name,
    OneOf,
    RequestBody,
    Shape,
    Success,
    answer,
    single_line,
    whole,
)
from leadyard.http.once import Shown, answer_once
from leadyard.http.paging import Paging, listing
from leadyard.intake.columns import plan_columns
from leadyard.intake.csv_export import rejected_lines, rejects_header_line
from leadyard.intake.csv_file import CsvFile
from leadyard.intake.provider import ROW_HEADER
from leadyard.intake.upload_stream import head_of_upload
from leadyard.operations import prospecting, uploads
from leadyard.operations.operation import Database

_REJECTED_PAGE = 1_000
_NO_CONTROL = r"\s\u0000-\u001f\u007f-\u009f"
_LINKEDIN_PATTERN = rf"^https?://([a-z0-9-]+\.)*linkedin\.com/[^/?#{_NO_CONTROL}][^{_NO_CONTROL}]*$"


def _on_linkedin(url: str) -> str:
    """Returns the URL. Raises ValueError unless it leads to LinkedIn and nowhere else: a provider may fetch it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        plain = parts.username is None and parts.port in (None, 80, 443)
    except ValueError:
        raise ValueError(_NOT_ON_LINKEDIN) from None
    on_linkedin = host == "linkedin.com" or host.endswith(".linkedin.com")
    if not (on_linkedin and plain and parts.scheme in ("http", "https") and parts.path.strip("/")):
        raise ValueError(_NOT_ON_LINKEDIN)
    return url


_NOT_ON_LINKEDIN = "must be an address on https://www.linkedin.com/, copied from the browser"

LinkedInUrl = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4_000),
    AfterValidator(single_line),
    AfterValidator(_on_linkedin),
    Field(json_schema_extra={"pattern": _LINKEDIN_PATTERN}),
]
SalesNavigatorId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300),
    AfterValidator(single_line),
    Field(json_schema_extra={"pattern": r"^[!-~]+$"}),
]


class TargetAudience(OneOf):
    """Which audience the job fills: a new one of that name, or the one with that id. Exactly one of the two."""

    one_of: ClassVar = ("name", "id")

    name: Annotated[Name | None, Field(description="Makes a new audience.", examples=["Spring campaign"])] = None
    id: Annotated[Id | None, Field(description="Adds to this audience.")] = None


class _Start(RequestBody):
    audience: TargetAudience
    search_emails: Annotated[
        bool, Field(description="Whether to look for e-mails afterwards; needs a prospect provider.")
    ] = False
    max_results: Annotated[
        int | None,
        Field(
            ge=1,
            le=model.MOST_MAX_RESULTS,
            description="At most so many prospects, up to what the account group allows, which is the default. Uploads "
            "ignore it.",
        ),
        BeforeValidator(whole),
    ] = None

    def source(self) -> dict[str, Any]:
        """Returns what the type needs, by the names of the API, without what was left out."""
        return self.model_dump(
            by_alias=True, exclude_none=True, exclude={"type", "audience", "search_emails", "max_results"}
        )


class StartCsvUpload(_Start):
    """People in a file that was uploaded before."""

    type: Literal["csv_upload"]
    upload_id: Annotated[Id, Field(description="From POST …/uploads.")]
    mapping: Annotated[
        dict[str, Annotated[str, StringConstraints(max_length=1_000)]] | None,
        Field(max_length=300, description="Field of a prospect → column of the file; wins over what is recognised."),
    ] = None
    identity_column: Annotated[
        str | None,
        StringConstraints(max_length=1_000),
        Field(description="The column that identifies a person when there is no e-mail or LinkedIn profile."),
    ] = None
    encoding: Annotated[
        str | None, StringConstraints(max_length=40), Field(description="If it is not UTF-8: `cp1252`, for one.")
    ] = None
    delimiter: Annotated[
        str | None, StringConstraints(min_length=1, max_length=1), Field(description="Found out if not given.")
    ] = None


class StartUrlUpload(_Start):
    """People by their LinkedIn profile URLs. What is no such URL is reported among the rejected rows."""

    type: Literal["url_upload"]
    profile_urls: Annotated[
        list[Annotated[str, StringConstraints(max_length=2_048)]],
        Field(min_length=1, max_length=model.MAX_PROFILE_URLS, examples=[["https://www.linkedin.com/in/avery-stone"]]),
    ]


class StartLinkedInSearch(_Start):
    """The people that a LinkedIn search finds, through the prospect provider."""

    type: Literal["linkedin_search"]
    search_url: Annotated[LinkedInUrl, Field(examples=["https://www.linkedin.com/search/results/people/?keywords=cto"])]


class StartSalesNavigator(_Start, OneOf):
    """The people of a saved search or a lead list of Sales Navigator, through the prospect provider. Exactly one."""

    one_of: ClassVar = ("saved_search_id", "lead_list_id")

    type: Literal["sales_navigator"]
    saved_search_id: SalesNavigatorId | None = None
    lead_list_id: SalesNavigatorId | None = None


class StartPostCommenters(_Start):
    """The people who commented on a LinkedIn post, through the prospect provider."""

    type: Literal["post_commenters"]
    post_url: Annotated[
        LinkedInUrl, Field(examples=["https://www.linkedin.com/feed/update/urn:li:activity:7300000000000000000"])
    ]


StartProspecting = Annotated[
    StartCsvUpload | StartUrlUpload | StartLinkedInSearch | StartSalesNavigator | StartPostCommenters,
    Field(discriminator="type"),
]


class ProspectingJobStart(Shape):
    """A job that was queued."""

    job_id: Id
    status: model.JobStatus
    created_at: Instant


class ProspectingJobStartSuccessResponse(Success[ProspectingJobStart]):
    """Prospecting job started."""


class ProspectingJob(Shape):
    """A job as listed. `type` is its source."""

    job_id: Id
    type: model.AudienceType
    status: model.JobStatus
    created_at: Instant
    updated_at: Instant


class ProspectingJobList(Listing[ProspectingJob]):
    """A page of jobs."""


class ProspectingJobListSuccessResponse(Success[ProspectingJobList]):
    """A page of the prospecting jobs, newest first."""


class ProspectingStage(Shape):
    """How far one stage has come."""

    status: model.StageStatus
    progress: Annotated[float, Field(ge=0, le=1, description="From 0 to 1, never back.", examples=[0.4])]


class ProspectingStages(Shape):
    """Bringing people in, then looking for their e-mails."""

    import_: Annotated[ProspectingStage, Field(alias="import")]
    enrichment: ProspectingStage


class ProspectingJobError(Shape):
    """Why the job failed."""

    code: Annotated[str, Field(examples=["PROVIDER_REFUSED"])]
    message: str


class ProspectingCounts(Shape):
    """What became of the prospects so far: read = created + matched + rejected."""

    read: int
    created: int
    matched: Annotated[int, Field(description="Known before; empty fields were filled.")]
    added: Annotated[int, Field(description="New in the audience.")]
    already_in_audience: int
    rejected: int
    emails_found: int


class ProspectingJobStatus(Shape):
    """Everything about one job."""

    job_id: Id
    type: Literal["prospecting"]
    source_type: Annotated[model.AudienceType, Field(description="What the list of jobs calls `type`.")]
    status: model.JobStatus
    created_at: Instant
    updated_at: Instant
    stages: ProspectingStages
    error: ProspectingJobError | None
    audience_id: Id
    counts: ProspectingCounts


class ProspectingJobStatusSuccessResponse(Success[ProspectingJobStatus]):
    """One prospecting job."""


class ProspectingJobCancel(Shape):
    """A job that was cancelled."""

    job_id: Id
    status: Literal["cancelled"]


class ProspectingJobCancelSuccessResponse(Success[ProspectingJobCancel]):
    """Prospecting job cancelled."""


class JobPaging(Paging):
    """The query of the list of jobs."""

    status: Annotated[model.JobStatus | None, Field(description="Only jobs of this status.")] = None


JobIdInPath = Annotated[Id, Path(alias="jobId", description="The prospecting job.")]


async def start_prospecting(request: Request, body: StartProspecting) -> Response:
    """Starts a job that fills an audience in the background. Until it ends the audience answers 409."""
    source, unusable = body.source(), None
    if isinstance(body, StartCsvUpload):
        source["header"], unusable = await _header(database(request), caller(request), body)
    elif isinstance(body, StartUrlUpload):
        source["header"] = ["profileUrl"]
    else:
        source["header"] = list(ROW_HEADER)
    return await answer_once(
        request,
        prospecting.start_prospecting,
        _started,
        type=model.AudienceType(body.type),
        source=source,
        audience_id=body.audience.id,
        audience_name=body.audience.name,
        max_results=body.max_results,
        search_emails=body.search_emails,
        provider_is_configured=request.app.state.provider is not None,
        unusable=unusable,
    )


async def list_prospecting(request: Request, paging: Annotated[JobPaging, Query()]) -> Response:
    """Lists the prospecting jobs, newest first."""
    who = caller(request)
    scope = ("prospecting", who.account_group_id, paging.status or "")
    page = await prospecting.list_jobs(
        database(request), who, status=paging.status, before=paging.start(*scope), limit=paging.limit
    )
    return answer(request, ProspectingJobListSuccessResponse, listing(ProspectingJobList, page, _listed, *scope))


async def get_prospecting(request: Request, job_id: JobIdInPath) -> Response:
    """Returns one prospecting job with its progress and counts."""
    job = await prospecting.get_job(database(request), caller(request), job_id=job_id)
    return answer(request, ProspectingJobStatusSuccessResponse, _status(job))


async def cancel_prospecting(request: Request, job_id: JobIdInPath) -> Response:
    """Cancels a queued or running job. Its audience keeps what it has and is free at once."""
    return await answer_once(request, prospecting.cancel_job, _cancelled, job_id=job_id)


async def export_rejected(request: Request, job_id: JobIdInPath) -> Response:
    """Sends the rows that did not become leads as CSV: line, code and reason, then the row as it was. The first 100,000
    of a job are kept, until 30 days after it has ended."""
    db, who = database(request), caller(request)
    job = await prospecting.get_job(db, who, job_id=job_id)
    return StreamingResponse(
        _rejected_pieces(db, who, job),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="rejected-{job_id}.csv"'},
    )


async def _header(
    db: Database, who: model.Caller, body: StartCsvUpload
) -> tuple[list[str], UnreadableFile | UnknownColumn | None]:
    """Returns the names of the file's columns, and what is wrong with file or mapping, now rather than later in the
    job. Not raised, for a wrong or busy audience is to be answered first."""
    # Without looking whether the upload can be used: the operation asks that once the upload is locked.
    first = await uploads.read_piece(db, who.account_group_id, body.upload_id, 0)
    try:
        file = CsvFile(io.BytesIO(head_of_upload(first or b"")), encoding=body.encoding, delimiter=body.delimiter)
        plan_columns(file.header, identity_column=body.identity_column, mapping=body.mapping)
    except (UnreadableFile, UnknownColumn) as wrong:
        return [], wrong
    return list(file.header), None


async def _rejected_pieces(db: Database, who: model.Caller, job: model.Job) -> AsyncIterator[str]:
    header = job.source.get("header", ())
    yield rejects_header_line(header)
    after: int | None = 0
    while after is not None:
        rows, after = await prospecting.list_rejected_rows(db, who, job_id=job.id, after=after, limit=_REJECTED_PAGE)
        yield rejected_lines(rows, header)


def _started(job: model.Job) -> Shown:
    data = ProspectingJobStart.model_construct(job_id=job.id, status=job.status, created_at=job.created_at)
    return Shown(ProspectingJobStartSuccessResponse, data, job_id=job.id)


def _cancelled(job: model.Job) -> Shown:
    data = ProspectingJobCancel.model_construct(job_id=job.id, status="cancelled")
    return Shown(ProspectingJobCancelSuccessResponse, data)


def _listed(job: model.Job) -> ProspectingJob:
    return ProspectingJob.model_construct(
        job_id=job.id, type=job.type, status=job.status, created_at=job.created_at, updated_at=job.updated_at
    )


def _status(job: model.Job) -> ProspectingJobStatus:
    stages = ProspectingStages.model_construct(
        import_=ProspectingStage.model_construct(status=job.import_status, progress=job.import_progress),
        enrichment=ProspectingStage.model_construct(status=job.enrichment_status, progress=job.enrichment_progress),
    )
    return ProspectingJobStatus.model_construct(
        job_id=job.id,
        type="prospecting",
        source_type=job.type,
        status=job.status,
        created_at=job.created_at,
        updated_at=job.updated_at,
        stages=stages,
        error=ProspectingJobError.model_validate(job.error) if job.error else None,
        audience_id=job.audience_id,
        counts=ProspectingCounts.model_validate(job.counts),
    )
