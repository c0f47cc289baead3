"""Events: what integrations learn about each change, in one order for each account group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from leadyard.model.changes import ChangeKind
from leadyard.model.jobs import JobStatus

MAX_LEADS_PER_EVENT = 100
"""How many lead ids an event has at most. The change that it reports has all of them."""
MAX_AUDIENCES_PER_EVENT = 200
"""How many audiences an event about a person has at most."""


class EventType(StrEnum):
    """The closed list of events."""

    AUDIENCE_CREATED = "audience.created"
    AUDIENCE_UPDATED = "audience.updated"
    AUDIENCE_DELETED = "audience.deleted"
    LEADS_MOVED = "leads.moved"
    LEADS_COPIED = "leads.copied"
    LEADS_REMOVED = "leads.removed"
    LEADS_ADDED = "leads.added"
    CHANGE_UNDONE = "change.undone"
    PROSPECT_UPDATED = "prospect.updated"
    PROSPECT_ERASED = "prospect.erased"
    PROSPECT_MERGED = "prospect.merged"
    JOB_STARTED = "job.started"
    JOB_COMPLETED = "job.completed"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    WEBHOOK_DISABLED = "webhook.disabled"


EVENT_OF_CHANGE: Mapping[ChangeKind, EventType] = {
    ChangeKind.MOVE: EventType.LEADS_MOVED,
    ChangeKind.COPY: EventType.LEADS_COPIED,
    ChangeKind.REMOVE: EventType.LEADS_REMOVED,
    ChangeKind.ADD: EventType.LEADS_ADDED,
    ChangeKind.IMPORT: EventType.LEADS_ADDED,
    ChangeKind.UNDO: EventType.CHANGE_UNDONE,
    ChangeKind.ERASE: EventType.PROSPECT_ERASED,
    ChangeKind.MERGE: EventType.PROSPECT_MERGED,
    ChangeKind.DELETE_AUDIENCE: EventType.AUDIENCE_DELETED,
}
"""The type of the event that reports a change. Every kind of change has one."""

EVENT_OF_END: Mapping[JobStatus, EventType] = {
    JobStatus.COMPLETED: EventType.JOB_COMPLETED,
    JobStatus.FAILED: EventType.JOB_FAILED,
    JobStatus.CANCELLED: EventType.JOB_CANCELLED,
}
"""The type of the event that reports the end of a job, by the status with which it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event as the transaction of its change writes it, before it has a place in the feed.

    `key_id` orders it among the events that get their places together: it begins with the time of the change. `data`
    is None for a change of leads, whose record has the facts; the counts are the counts of the audiences after it.
    `first_lead` is the place in the change of the first lead that the event lists, None for an event without leads.
    """

    key_id: str
    type: EventType
    occurred_at: int
    source_audience_id: str | None = None
    target_audience_id: str | None = None
    source_count: int | None = None
    target_count: int | None = None
    change_id: str | None = None
    first_lead: int | None = None
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event in the feed of its account group.

    Ids are unique in the installation. In an account group they follow the order of the feed, so the id of an event is
    also the position after which a reader continues. `data` has the names of JSON, and never personal data.
    """

    id: str
    type: EventType
    occurred_at: int
    data: Mapping[str, Any]
    source_audience_id: str | None = None
    target_audience_id: str | None = None

    def concerns(self, audience_id: str) -> bool:
        """Returns whether the event is about the audience: as its source, its target, or an audience of its person."""
        return audience_id in (self.source_audience_id, self.target_audience_id) or any(
            each["id"] == audience_id for each in self.data.get("audiences", ())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """The events that a reader wants. They must match both conditions, unless these are None."""

    types: frozenset[EventType] | None = None
    audience_id: str | None = None

    def takes(self, event: Event) -> bool:
        """Returns whether the event matches."""
        return (self.types is None or event.type in self.types) and (
            self.audience_id is None or event.concerns(self.audience_id)
        )


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in the order of the feed. `position` is the id after which the reader continues: the last event, or a
    later one that does not match the filter. `has_more` if the feed already goes on after it."""

    events: tuple[Event, ...]
    position: str
    has_more: bool
