"""Transfers over HTTP: one change of any size, made by a job. An undo of a large change is shown with them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from fastapi import Path, Query, Request, Response
from pydantic import BeforeValidator, Field, model_validator

from leadyard import model
from leadyard.http.answer.envelope import Id, Instant, Listing, OneOf, RequestBody, Shape, Success, whole
from leadyard.http.answer.paging import Paging, show_page
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer
from leadyard.http.request.route import caller, needs
from leadyard.http.v1.prospects import Moment, Prospect, SearchText, milliseconds, prospect_of
from leadyard.operations.jobs import transfers

MAX_BODY_BYTES = 4 * 1024 * 1024

ListedIds = Annotated[list[Id], Field(min_length=1, max_length=model.MAX_LISTED_LEADS)]


def _as_text(value: Any) -> Any:
    """Refuses a number, which Pydantic would read as seconds since 1970."""
    if value is not None and not isinstance(value, str):
        raise ValueError("must be a time such as 2026-01-31T09:30:00Z")
    return value


# The times of a body are texts, which Pydantic's strict mode does not read as times.
MomentInBody = Annotated[Moment, Field(strict=False), BeforeValidator(_as_text)]


class TransferFilter(RequestBody):
    """The members of the source that match all conditions, of which there is at least one. The first six work as
    in the list of prospects."""

    q: Annotated[SearchText | None, Field(description="Words, as in the list of prospects.")] = None
    company: Annotated[SearchText | None, Field(description="The same in the company's name.")] = None
    title: Annotated[SearchText | None, Field(description="The same in the title.")] = None
    has_email: bool | None = None
    added_after: Annotated[MomentInBody | None, Field(description="Added to the source after this time.")] = None
    added_before: Annotated[MomentInBody | None, Field(description="Added to the source before this time.")] = None
    in_audience_id: Annotated[Id | None, Field(description="The leads are also in this audience.")] = None
    not_in_audience_id: Annotated[Id | None, Field(description="The leads are not in this audience.")] = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        # An empty filter would be every member, which may be a mistake of the client.
        if all(value is None for value in self.__dict__.values()):
            raise ValueError("give at least one condition; for every member send {'all': true}")
        return self

    def wanted(self) -> model.SelectionFilter:
        """Returns the filter as a value."""
        return model.SelectionFilter(
            members=model.MemberFilter(
                q=self.q,
                company=self.company,
                title=self.title,
                has_email=self.has_email,
                added_after=milliseconds(self.added_after),
                added_before=milliseconds(self.added_before),
            ),
            in_audience_id=self.in_audience_id,
            not_in_audience_id=self.not_in_audience_id,
        )


class TransferSelection(OneOf):
    """The leads of the transfer. Send exactly one field: every member of the source, the listed ones, or those that
    match a filter."""

    one_of: ClassVar = ("all", "lead_ids", "filter")

    all: Literal[True] | None = None
    lead_ids: Annotated[ListedIds | None, Field(description="Repeated ids count once.")] = None
    filter: TransferFilter | None = None


class TransferExclusion(RequestBody):
    """Leads to leave out of the selection. They need not be in it."""

    lead_ids: ListedIds


class StartTransfer(RequestBody):
    """The change to make. A `remove` has no target, and other actions need one."""

    action: Annotated[
        model.TransferAction, Field(strict=False, description="The effect of move-leads, copy-leads or remove-leads.")
    ]
    source_audience_id: Id
    target_audience_id: Id | None = None
    select: TransferSelection
    exclude: TransferExclusion | None = None
    limit: Annotated[
        int | None,
        Field(ge=1, le=2**53 - 1, description="Only the first ones, in the order of the list of prospects."),
        BeforeValidator(whole),
    ] = None
    expected_count: Annotated[
        int | None,
        Field(ge=0, le=2**53 - 1, description="The size that the selection must have. Send the `count` of a dry run."),
        BeforeValidator(whole),
    ] = None
    dry_run: Annotated[bool, Field(description="Whether to show the effect and change nothing.")] = False

    @model_validator(mode="after")
    def _has_the_audiences_of_its_action(self) -> Self:
        if (self.target_audience_id is None) != (self.action is model.TransferAction.REMOVE):
            raise ValueError("move and copy need targetAudienceId, and remove must not have it")
        return self

    def asked(self) -> model.TransferRequest:
        """Returns the request as a value."""
        chosen = self.select
        return model.TransferRequest(
            action=self.action,
            source_audience_id=self.source_audience_id,
            target_audience_id=self.target_audience_id,
            selection=model.Selection(
                lead_ids=None if chosen.lead_ids is None else tuple(chosen.lead_ids),
                filter=chosen.filter.wanted() if chosen.filter else model.SelectionFilter(),
                excluded=tuple(self.exclude.lead_ids) if self.exclude else (),
                limit=self.limit,
            ),
            expected_count=self.expected_count,
        )


class TransferStart(Shape):
    """A job that was queued, or that has completed because the selection is empty."""

    job_id: Id
    status: model.JobStatus
    created_at: Instant


class TransferStartSuccessResponse(Success[TransferStart]):
    """The job was started. GET …/transfers/{jobId} shows its progress."""


class TransferPreview(Shape):
    """The effect that the transfer would have now."""

    count: Annotated[int, Field(ge=0, description="Number of leads in the selection.")]
    already_in_target_count: Annotated[int, Field(ge=0, description="Number of these that are in the target already.")]
    source_prospect_count_after: Annotated[int, Field(ge=0)]
    target_prospect_count_after: Annotated[int | None, Field(ge=0, description="Null without a target.")]
    sample: Annotated[
        list[Prospect],
        Field(
            max_length=model.MAX_SAMPLE,
            description="The first leads of the selection, as members of the source. Empty if the key lacks the "
            "permission `prospects:read`.",
        ),
    ]


class TransferPreviewSuccessResponse(Success[TransferPreview]):
    """The effect of the transfer, for a dry run."""


class TransferError(Shape):
    """Why the job failed. Nothing was changed. The other fields depend on the code, and are null without it."""

    code: Annotated[str, Field(examples=["SELECTION_CHANGED"])]
    message: str
    count: Annotated[int | None, Field(description="SELECTION_CHANGED: the size of the selection.")]
    lead_count: Annotated[int | None, Field(description="CHANGED_SINCE: the number of leads that are changed since.")]
    lead_ids: Annotated[list[Id] | None, Field(description="CHANGED_SINCE: the first 100 of them.")]


class JobAction(StrEnum):
    """The effect of the job on the leads. `undo`: it undoes `undoesChangeId`."""

    # With a name of its own, because generators would call it `TransferAction`, as the action of a request.
    MOVE = "move"
    COPY = "copy"
    REMOVE = "remove"
    UNDO = "undo"


class Transfer(Shape):
    """A transfer, or the undo of a change of more than 10,000 leads."""

    job_id: Id
    action: JobAction
    status: model.JobStatus
    stage: Annotated[
        Literal["select", "apply", "withdraw", "revert"],
        Field(
            description="The current or last stage. `revert`: it was cancelled or has failed, and takes back what it "
            "had done. It stays `running` until everything is as it was before."
        ),
    ]
    progress: Annotated[float, Field(ge=0, le=1, description="The part that is done. It falls only in a `revert`.")]
    source_audience_id: Id | None
    target_audience_id: Id | None
    undoes_change_id: Id | None
    count: Annotated[int, Field(ge=0, description="Number of leads in the selection, 0 until it is made.")]
    applied_count: Annotated[int, Field(ge=0, description="Number of these that are done.")]
    already_in_target_count: Annotated[int, Field(ge=0, description="Number of these that were in the target before.")]
    skipped_count: Annotated[int, Field(ge=0, description="Leads that an undo leaves as they are.")]
    kept_edits: Annotated[
        int | None,
        Field(ge=0, description="Known people into whose empty fields an undone import wrote values. These stay."),
    ]
    change_id: Annotated[
        Id | None, Field(description="The change, when the job has completed. Null if no lead was selected.")
    ]
    error: TransferError | None
    api_key_id: Id | None
    created_at: Instant
    updated_at: Instant


class TransferSuccessResponse(Success[Transfer]):
    """One transfer, or one undo of a large change."""


class TransferList(Listing[Transfer]):
    """A page of transfers."""


class TransferListSuccessResponse(Success[TransferList]):
    """A page of the transfers and of the undos of large changes, newest first."""


class TransferCancel(Shape):
    """The transfer after the request: cancelled, or still running to take back what it had done."""

    job_id: Id
    status: model.JobStatus


class TransferCancelSuccessResponse(Success[TransferCancel]):
    """The transfer was cancelled, or will be when everything is as it was before."""


class TransferPaging(Paging):
    """The query of the list of transfers."""

    status: Annotated[model.JobStatus | None, Field(description="Only transfers with this status.")] = None


TransferIdInPath = Annotated[Id, Path(alias="jobId", description="The job of the transfer, or of the undo.")]


@needs(transfers.start_transfer)
async def start_transfer(request: Request, body: StartTransfer) -> Response:
    """Moves, copies or removes any number of leads, all of them or none, in the background. Both audiences answer with
    a 409 until the job has ended. With `dryRun` the service shows the effect and changes nothing."""
    if body.dry_run:
        return await answer(request, transfers.preview_transfer, _preview, asked=body.asked())
    return await answer(request, transfers.start_transfer, started, asked=body.asked())


@needs(transfers.list_transfers)
async def list_transfers(request: Request, paging: Annotated[TransferPaging, Query()]) -> Response:
    """Lists the transfers and the undos of large changes, newest first."""
    scope = ("transfers", caller(request).account_group_id, paging.status or "")
    show = show_page(TransferListSuccessResponse, TransferList, _transfer, *scope)
    before = paging.start(*scope)
    return await answer(
        request, transfers.list_transfers, show, status=paging.status, before=before, limit=paging.limit
    )


@needs(transfers.get_transfer)
async def get_transfer(request: Request, job_id: TransferIdInPath) -> Response:
    """Returns one transfer, or one undo of a large change, with its progress."""
    return await answer(request, transfers.get_transfer, _one_transfer, job_id=job_id)


@needs(transfers.cancel_transfer)
async def cancel_transfer(request: Request, job_id: TransferIdInPath) -> Response:
    """Cancels a queued or running transfer, or undo of a large change. If it has changed something already, it takes
    that back, and both audiences answer with a 409 until everything is as it was before."""
    return await answer(request, transfers.cancel_transfer, _cancelled, job_id=job_id)


def started(job: model.Job, *, status: int | None = None) -> Shown:
    """Returns the answer to a request that has started a transfer or an undo."""
    return Shown(TransferStartSuccessResponse, TransferStart.of(job, job_id=job.id), status=status)


def _preview(preview: model.TransferPreview) -> Shown:
    data = TransferPreview.of(
        preview,
        source_prospect_count_after=preview.source_count_after,
        target_prospect_count_after=preview.target_count_after,
        sample=list(map(prospect_of, preview.sample)),
    )
    return Shown(TransferPreviewSuccessResponse, data, status=200)


def _cancelled(job: model.Job) -> Shown:
    return Shown(TransferCancelSuccessResponse, TransferCancel.of(job, job_id=job.id))


def _one_transfer(job: model.Job) -> Shown:
    return Shown(TransferSuccessResponse, _transfer(job))


def _transfer(job: model.Job) -> Transfer:
    counts = job.counts
    return Transfer.of(
        job,
        **_audiences_of(job),
        job_id=job.id,
        action=JobAction(job.source.type),
        progress=job.part_done,
        count=counts.selected,
        applied_count=counts.applied,
        already_in_target_count=counts.already_in_audience,
        skipped_count=counts.skipped,
        kept_edits=counts.kept_edits if isinstance(job.source, model.UndoSource) else None,
        change_id=job.change_id if job.status is model.JobStatus.COMPLETED else None,
        error=_error(job.error) if job.error else None,
    )


def _audiences_of(job: model.Job) -> dict[str, Any]:
    source = job.source
    if isinstance(source, model.UndoSource):
        both = (source.source_audience_id, source.target_audience_id)
        return dict(zip(_AUDIENCES, (*both, source.change_id), strict=True))
    target = job.audience_ids[1] if len(job.audience_ids) > 1 else None
    return dict(zip(_AUDIENCES, (job.audience_id, target, None), strict=True))


_AUDIENCES = ("source_audience_id", "target_audience_id", "undoes_change_id")


def _error(error: model.JobError) -> TransferError:
    extra: Mapping[str, Any] = error.extra
    return TransferError.of(
        error, count=extra.get("count"), lead_count=extra.get("leadCount"), lead_ids=extra.get("leadIds")
    )
