"""The shape of each type of event, for the `webhooks` of the OpenAPI document. Tests compare real events with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field

from leadyard import model
from leadyard.http.answer.envelope import Id, Instant, Shape
from leadyard.model import MAX_AUDIENCES_PER_EVENT, MAX_LEADS_PER_EVENT, EventType

T = TypeVar("T")
D = TypeVar("D")

Count = Annotated[int, Field(ge=0)]


class ReportedAudience(Shape):
    """An audience of a change, with its name and its exact count as the change left them."""

    id: Id
    name: Annotated[str, Field(examples=["Senate"])]
    prospect_count: Count


class AudienceFacts(Shape):
    """An audience that was created."""

    audience_id: Id
    name: Annotated[str, Field(examples=["Senate"])]
    type: model.AudienceType
    prospect_count: Count


class UpdatedAudienceFacts(AudienceFacts):
    """An audience with another name, description or folder."""

    changed: Annotated[list[Literal["name", "description", "folderId"]], Field(min_length=1)]


class DeletedAudienceFacts(Shape):
    """An audience that was deleted, with the number of its leads, which stay in the account group."""

    audience_id: Id
    name: Annotated[str, Field(examples=["Senate"])]
    type: model.AudienceType
    lead_count: Count
    change_id: Id


class TestFacts(Shape):
    """The webhook that is tested."""

    webhook_id: Id


class LeadsFacts(Shape):
    """A change of leads, or one batch of an import from the command line. `changeId` leads to all of its leads."""

    change_id: Id
    job_id: Id | None
    source_audience: ReportedAudience | None
    target_audience: ReportedAudience | None
    lead_count: Count
    already_in_target_count: Annotated[Count, Field(description="How many of the leads were in the target before.")]
    lead_ids: Annotated[
        list[Id],
        Field(max_length=MAX_LEADS_PER_EVENT, description="The first leads, without people who were erased since."),
    ]


class UndoFacts(LeadsFacts):
    """A change that was undone. The source is the audience that the leads left again."""

    undone_change_id: Id


class ProspectFacts(Shape):
    """A person whose fields were edited. Read the person to see them."""

    prospect_id: Id


class CountedAudience(Shape):
    """An audience with its exact count afterwards."""

    id: Id
    prospect_count: Count


class ErasedFacts(Shape):
    """A person who was erased. Remove what you keep about this id."""

    prospect_id: Id
    audiences: Annotated[
        list[CountedAudience],
        Field(
            max_length=MAX_AUDIENCES_PER_EVENT,
            description="The audiences that the person was in, without those that a transfer or an undo is changing: "
            "the end of that job reports their counts.",
        ),
    ]
    audience_count: Count
    change_id: Id


class MergedFacts(ErasedFacts):
    """Two people who were one. `mergedProspectId` no longer exists, and `prospectId` stands for both."""

    merged_prospect_id: Id


class JobNumbers(Shape):
    """The counts of a job so far."""

    read: Count
    created: Count
    matched: Count
    added: Count
    already_in_audience: Count
    rejected: Count
    emails_found: Count


class JobFacts(Shape):
    """A job and its counts. The leads that it has added are in a `leads.added`, which comes before its end."""

    job_id: Id
    kind: model.JobKind
    audience_ids: Annotated[list[Id], Field(min_length=1, max_length=2)]
    counts: JobNumbers


class EndedJobFacts(JobFacts):
    """A job that has ended. A transfer or an undo also reports its audiences."""

    audiences: Annotated[
        list[CountedAudience] | None,
        Field(
            max_length=2,
            description="The audiences of a transfer or an undo that exist. Their counts may differ from those before, "
            "also if the job has changed nothing, because people may have been erased during the job. Other jobs have "
            "none.",
        ),
    ] = None


class FailedJobFacts(EndedJobFacts):
    """A job that has failed. The job itself has the message of the error."""

    error_code: Annotated[str, Field(examples=["PROVIDER_UNAVAILABLE"])]


class DisabledWebhookFacts(Shape):
    """A webhook that the service has disabled, because its receiver did not take its events."""

    webhook_id: Id
    reason: model.DisabledReason


class _Event(Shape, Generic[T, D]):
    id: Id
    type: T
    timestamp: Instant
    data: D


class AudienceCreated(_Event[Literal["audience.created"], AudienceFacts]):
    """An audience was created."""


class AudienceUpdated(_Event[Literal["audience.updated"], UpdatedAudienceFacts]):
    """An audience got another name, description or folder."""


class AudienceDeleted(_Event[Literal["audience.deleted"], DeletedAudienceFacts]):
    """An audience was deleted."""


class LeadsMoved(_Event[Literal["leads.moved"], LeadsFacts]):
    """Leads were moved from one audience to another."""


class LeadsCopied(_Event[Literal["leads.copied"], LeadsFacts]):
    """Leads of one audience were added to another one."""


class LeadsRemoved(_Event[Literal["leads.removed"], LeadsFacts]):
    """Leads were removed from an audience."""


class LeadsAdded(_Event[Literal["leads.added"], LeadsFacts]):
    """People were added to an audience by a request, a job or an import."""


class ChangeUndone(_Event[Literal["change.undone"], UndoFacts]):
    """A change was undone."""


class ProspectUpdated(_Event[Literal["prospect.updated"], ProspectFacts]):
    """A person was edited."""


class ProspectErased(_Event[Literal["prospect.erased"], ErasedFacts]):
    """A person was erased."""


class ProspectMerged(_Event[Literal["prospect.merged"], MergedFacts]):
    """Two people were merged."""


class JobStarted(_Event[Literal["job.started"], JobFacts]):
    """A job was accepted, and waits for a worker."""


class JobCompleted(_Event[Literal["job.completed"], EndedJobFacts]):
    """A job has done all of its work."""


class JobFailed(_Event[Literal["job.failed"], FailedJobFacts]):
    """A job has failed. A prospecting job keeps what it has done, and a transfer or an undo changes nothing."""


class JobCancelled(_Event[Literal["job.cancelled"], EndedJobFacts]):
    """A job was cancelled. A prospecting job keeps what it has done, and a transfer or an undo changes nothing."""


class WebhookDisabled(_Event[Literal["webhook.disabled"], DisabledWebhookFacts]):
    """A webhook was disabled by the service. The other webhooks get this event."""


class WebhookTestMessage(_Event[Literal["webhook.test"], TestFacts]):
    """A client tests a webhook. This is in no feed."""


SHAPES: Mapping[EventType, type[Shape]] = {
    EventType.AUDIENCE_CREATED: AudienceCreated,
    EventType.AUDIENCE_UPDATED: AudienceUpdated,
    EventType.AUDIENCE_DELETED: AudienceDeleted,
    EventType.LEADS_MOVED: LeadsMoved,
    EventType.LEADS_COPIED: LeadsCopied,
    EventType.LEADS_REMOVED: LeadsRemoved,
    EventType.LEADS_ADDED: LeadsAdded,
    EventType.CHANGE_UNDONE: ChangeUndone,
    EventType.PROSPECT_UPDATED: ProspectUpdated,
    EventType.PROSPECT_ERASED: ProspectErased,
    EventType.PROSPECT_MERGED: ProspectMerged,
    EventType.JOB_STARTED: JobStarted,
    EventType.JOB_COMPLETED: JobCompleted,
    EventType.JOB_FAILED: JobFailed,
    EventType.JOB_CANCELLED: JobCancelled,
    EventType.WEBHOOK_DISABLED: WebhookDisabled,
}
"""The shape of each type."""
SHAPES_SENT: Mapping[str, type[Shape]] = {
    **{str(type): shape for type, shape in SHAPES.items()},
    "webhook.test": WebhookTestMessage,
}
"""The shape of each type of message that a webhook sends."""
