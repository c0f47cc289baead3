"""Prospecting jobs over HTTP: starts, lists and cancels them, and exports their rejected rows."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from fastapi import Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from leadyard import model
from leadyard.http.answer.csv_download import csv_download
from leadyard.http.answer.envelope import (
    Id,
    Instant,
    Listing,
    Name,
    OneOf,
    RequestBody,
    Shape,
    Success,
    single_line,
    whole,
)
from leadyard.http.answer.paging import Paging, show_page
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import caller, database, needs
from leadyard.http.v1.file_reading import FileReading
from leadyard.http.v1.previews import HOW, How
from leadyard.http.v1.prospects import OnKnownField
from leadyard.http.v1.row_header import header_reader
from leadyard.operations.exports import export_rejected_rows
from leadyard.operations.jobs import prospecting
from leadyard.people.fields import MAX_URL_LENGTH
from leadyard.people.linkedin_urls import is_page_on_linkedin

_NO_CONTROL = r"\s\u0000-\u001f\u007f-\u009f"
_LINKEDIN_PATTERN = rf"^https?://([a-z0-9-]+\.)*linkedin\.com/[^/?#{_NO_CONTROL}][^{_NO_CONTROL}]*$"


def _on_linkedin(url: str) -> str:
    """Returns the URL. Raises ValueError unless it is a page on LinkedIn, because a provider may fetch it."""
    if not is_page_on_linkedin(url):
        raise ValueError("must be an address on https://www.linkedin.com/, copied from the browser")
    return url


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
    """The audience that the job fills. Send exactly one field: `name` for a new audience, `id` for an existing one."""

    one_of: ClassVar = ("name", "id")

    name: Annotated[Name | None, Field(description="Name of a new audience.", examples=["Spring campaign"])] = None
    id: Annotated[Id | None, Field(description="ID of an existing audience.")] = None

    def chosen(self) -> model.NewAudience | model.ExistingAudience:
        """Returns the new or the existing audience."""
        return model.NewAudience(self.name or "") if self.id is None else model.ExistingAudience(self.id)


class _Start(RequestBody):
    audience: TargetAudience
    search_emails: Annotated[
        bool, Field(description="Whether to look for e-mails after the import. Requires a prospect provider.")
    ] = False
    max_results: Annotated[
        int | None,
        Field(
            ge=1,
            le=model.MOST_MAX_RESULTS,
            description="Maximum number of prospects. The default is the limit of the account group, which is also the "
            "maximum. Uploads ignore it.",
        ),
        BeforeValidator(whole),
    ] = None
    on_known: OnKnownField = model.OnKnown.FILL


class StartCsvUpload(_Start, FileReading):
    """Imports people from an uploaded file."""

    type: Literal["csv_upload"]
    upload_id: Annotated[Id, Field(description="The `uploadId` that POST …/uploads returned.")]

    def people(self) -> model.UploadedCsv:
        """Returns the file and how to read it."""
        return self.file(self.upload_id)


class StartUrlUpload(_Start):
    """Imports people by their LinkedIn profile URLs. The job reports other texts among the rejected rows."""

    type: Literal["url_upload"]
    profile_urls: Annotated[
        list[Annotated[str, StringConstraints(max_length=MAX_URL_LENGTH)]],
        Field(min_length=1, max_length=model.MAX_PROFILE_URLS, examples=[["https://www.linkedin.com/in/avery-stone"]]),
    ]

    def people(self) -> model.ProfileUrls:
        """Returns the URLs."""
        return model.ProfileUrls(tuple(self.profile_urls))


class StartLinkedInSearch(_Start):
    """Imports the people that a LinkedIn search finds, through the prospect provider."""

    type: Literal["linkedin_search"]
    search_url: Annotated[LinkedInUrl, Field(examples=["https://www.linkedin.com/search/results/people/?keywords=cto"])]

    def people(self) -> model.LinkedInSearch:
        """Returns the search."""
        return model.LinkedInSearch(self.search_url)


class StartSalesNavigator(_Start, OneOf):
    """Imports the people of a Sales Navigator saved search or lead list, through the prospect provider. Send exactly
    one of `savedSearchId` and `leadListId`."""

    one_of: ClassVar = ("saved_search_id", "lead_list_id")

    type: Literal["sales_navigator"]
    saved_search_id: SalesNavigatorId | None = None
    lead_list_id: SalesNavigatorId | None = None

    def people(self) -> model.SalesNavigatorList:
        """Returns the saved search or the lead list."""
        return model.SalesNavigatorList(saved_search_id=self.saved_search_id, lead_list_id=self.lead_list_id)


class StartPostCommenters(_Start):
    """Imports the people who commented on a LinkedIn post, through the prospect provider."""

    type: Literal["post_commenters"]
    post_url: Annotated[
        LinkedInUrl, Field(examples=["https://www.linkedin.com/feed/update/urn:li:activity:7300000000000000000"])
    ]

    def people(self) -> model.PostCommenters:
        """Returns the post."""
        return model.PostCommenters(self.post_url)


StartProspecting = Annotated[
    StartCsvUpload | StartUrlUpload | StartLinkedInSearch | StartSalesNavigator | StartPostCommenters,
    Field(discriminator="type", title="StartProspecting"),
]


class ProspectingJobStart(Shape):
    """A job that was queued."""

    job_id: Id
    audience_id: Annotated[Id, Field(description="The audience that the job fills.")]
    status: model.JobStatus
    created_at: Instant


class ProspectingJobStartSuccessResponse(Success[ProspectingJobStart]):
    """The prospecting job was started."""


class ProspectingJob(Shape):
    """A job in the list. `type` is its source."""

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
    """The progress of one stage."""

    status: model.StageStatus
    progress: Annotated[float, Field(ge=0, le=1, description="From 0 to 1. It never decreases.", examples=[0.4])]


class ProspectingStages(Shape):
    """The import of people, then the search for their e-mails."""

    import_: Annotated[ProspectingStage, Field(alias="import")]
    enrichment: ProspectingStage


class ProspectingJobError(Shape):
    """Why the job failed."""

    code: Annotated[str, Field(examples=["PROVIDER_REFUSED"])]
    message: str


class ProspectingCounts(Shape):
    """Results so far: read = created + matched + rejected."""

    read: int
    created: int
    matched: Annotated[int, Field(description="Existing leads, which the job changed as `onKnown` requires.")]
    added: Annotated[int, Field(description="Leads that are new in the audience.")]
    already_in_audience: int
    rejected: int
    skipped: Annotated[int, Field(description="Rows of the file that are not people: repeated headers and footers.")]
    noted: Annotated[int, Field(description="Rows that were imported with a note. `read` contains them.")]
    differing: Annotated[int, Field(description="How many of the matched rows have a value other than the known one.")]
    suppressed: Annotated[int, Field(description="How many of the rejected rows are of suppressed people.")]
    emails_found: int


class ProspectingPlannedColumn(Shape):
    """A column of the file, and what the job makes of it."""

    name: str
    field: Annotated[str | None, Field(description="The field of a person that the column feeds.", examples=["email"])]
    how: Annotated[How, Field(description=HOW)]


class ProspectingJobStatus(Shape):
    """The state of one job."""

    job_id: Id
    type: Literal["prospecting"]
    source_type: Annotated[model.AudienceType, Field(description="The source, which the list of jobs calls `type`.")]
    status: model.JobStatus
    created_at: Instant
    updated_at: Instant
    stages: ProspectingStages
    error: ProspectingJobError | None
    audience_id: Id
    counts: ProspectingCounts
    plan: Annotated[
        list[ProspectingPlannedColumn] | None, Field(description="The columns of the file. Null for other sources.")
    ]


class ProspectingJobStatusSuccessResponse(Success[ProspectingJobStatus]):
    """One prospecting job."""


class ProspectingJobCancel(Shape):
    """A job that was cancelled."""

    job_id: Id
    status: Literal["cancelled"]


class ProspectingJobCancelSuccessResponse(Success[ProspectingJobCancel]):
    """The prospecting job was cancelled."""


class JobPaging(Paging):
    """The query of the list of jobs."""

    status: Annotated[model.JobStatus | None, Field(description="Only jobs with this status.")] = None


JobIdInPath = Annotated[Id, Path(alias="jobId", description="The prospecting job.")]


@needs(prospecting.start_prospecting)
async def start_prospecting(request: Request, body: StartProspecting) -> Response:
    """Starts a job that fills an audience in the background. Requests for the audience get a 409 until the job ends."""
    asked = model.ProspectingRequest(
        people=body.people(),
        audience=body.audience.chosen(),
        search_emails=body.search_emails,
        max_results=body.max_results,
        on_known=body.on_known,
    )
    return await answer(
        request,
        prospecting.start_prospecting,
        _started,
        asked=asked,
        read_header=await header_reader(database(request), caller(request), asked.people),
        provider_is_configured=request.app.state.provider is not None,
    )


@needs(prospecting.list_jobs)
async def list_prospecting(request: Request, paging: Annotated[JobPaging, Query()]) -> Response:
    """Lists the prospecting jobs, newest first."""
    scope = ("prospecting", caller(request).account_group_id, paging.status or "")
    show = show_page(ProspectingJobListSuccessResponse, ProspectingJobList, _listed, *scope)
    before = paging.start(*scope)
    return await answer(request, prospecting.list_jobs, show, status=paging.status, before=before, limit=paging.limit)


@needs(prospecting.get_job)
async def get_prospecting(request: Request, job_id: JobIdInPath) -> Response:
    """Returns one prospecting job with its progress and counts."""
    return await answer(request, prospecting.get_job, _one_job, job_id=job_id)


@needs(prospecting.cancel_job)
async def cancel_prospecting(request: Request, job_id: JobIdInPath) -> Response:
    """Cancels a queued or running job. The audience keeps its leads and is available immediately."""
    return await answer(request, prospecting.cancel_job, _cancelled, job_id=job_id)


class RejectedRowsQuery(BaseModel):
    """The query of the rejected rows."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    notes: Annotated[
        bool, Field(description="Whether to add the notes on imported rows, as the file of `leadyard import` does.")
    ] = False


@needs(prospecting.list_rejected_rows)
async def export_rejected(
    request: Request, job_id: JobIdInPath, query: Annotated[RejectedRowsQuery, Query()]
) -> Response:
    """Exports the rows that did not become leads as CSV: line, code and reason, then the original row. The service
    keeps the first 100,000 rows and notes of a job until 30 days after the job ended."""
    db, who = database(request), caller(request)
    job = await prospecting.get_job(db, who, job_id=job_id)
    return csv_download(export_rejected_rows(db, who, job, notes=query.notes), file_name=f"rejected-{job_id}.csv")


def _started(job: model.Job) -> Shown:
    return Shown(ProspectingJobStartSuccessResponse, ProspectingJobStart.of(job, job_id=job.id), job_id=job.id)


def _cancelled(job: model.Job) -> Shown:
    return Shown(ProspectingJobCancelSuccessResponse, ProspectingJobCancel.of(job, job_id=job.id))


def _listed(job: model.Job) -> ProspectingJob:
    return ProspectingJob.of(job, job_id=job.id, type=job.source.type)


def _stage(job: model.Job, stage: model.JobStage) -> ProspectingStage:
    return ProspectingStage.of(status=job.status_of(stage), progress=job.progress.get(stage, 0.0))


def _one_job(job: model.Job) -> Shown:
    data = ProspectingJobStatus.of(
        job,
        job_id=job.id,
        type=job.kind.value,
        source_type=job.source.type,
        stages=ProspectingStages.of(
            import_=_stage(job, model.JobStage.IMPORT), enrichment=_stage(job, model.JobStage.ENRICHMENT)
        ),
        error=ProspectingJobError.of(job.error) if job.error else None,
        counts=ProspectingCounts.of(job.counts),
        plan=_plan(job.source),
    )
    return Shown(ProspectingJobStatusSuccessResponse, data)


def _plan(source: model.JobSource) -> list[ProspectingPlannedColumn] | None:
    if not isinstance(source, model.CsvSource):
        return None
    return list(map(ProspectingPlannedColumn.of, source.plan))
