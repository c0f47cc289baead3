"""Transfers: one change of any size, made by a job. And the undo of a change that is too large for one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from leadyard.model.people import Member, MemberFilter

MAX_LISTED_LEADS = 100_000
"""The number of leads that a request for a transfer may list, and the number that it may exclude."""
MAX_SAMPLE = 20
MANY_PEOPLE = 100
"""A change of more people than this needs their number, or consent, before people and agents can make it."""


class TransferAction(StrEnum):
    """The effect of a transfer on its leads: as `move-leads`, `copy-leads` or `remove-leads` have it."""

    MOVE = "move"
    COPY = "copy"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionFilter:
    """The members of an audience that match all conditions. They must also be in `in_audience_id`, and not in
    `not_in_audience_id`, unless these are None."""

    members: MemberFilter = field(default_factory=MemberFilter)
    in_audience_id: str | None = None
    not_in_audience_id: str | None = None

    @property
    def audience_ids(self) -> tuple[str, ...]:
        """The other audiences that decide."""
        return tuple(filter(None, (self.in_audience_id, self.not_in_audience_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The leads of a transfer: those listed, or the members of the source that match the filter, without the excluded
    ones, and at most the first `limit` in the order of the list of prospects."""

    lead_ids: tuple[str, ...] | None = None
    filter: SelectionFilter = field(default_factory=SelectionFilter)
    excluded: tuple[str, ...] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest:
    """A caller's request for a transfer. There is no target if the action is REMOVE. With `expected_count` the
    selection must have that size when the work begins."""

    action: TransferAction
    source_audience_id: str
    target_audience_id: str | None
    selection: Selection
    expected_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSource:
    """The work of a transfer, as its job keeps it. `is_listed` if the request listed the leads, which are then in their
    own columns until the selection is made."""

    action: TransferAction
    is_listed: bool
    filter: SelectionFilter
    limit: int | None
    expected_count: int | None

    @property
    def type(self) -> str:
        """The name of the action in the public API."""
        return self.action


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoSource:
    """The change that a job undoes. `restored_audience_id` is the audience that the change had deleted, and that the
    start of the job has brought back; it is deleted again if the job does not complete."""

    type: ClassVar[str] = "undo"

    change_id: str
    source_audience_id: str | None
    target_audience_id: str | None
    skip_changed: bool
    restored_audience_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPosition:
    """The plan of an undo continues after this number of leads of the undone change. `planned` of them will be undone,
    and `changed` are changed since; the first of these are listed."""

    read: int
    planned: int = 0
    changed: int = 0
    first_changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPosition:
    """The stage continues with the part of a change that begins after this number of its leads."""

    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestPosition:
    """The last stage of an undo continues after this value that the undone change had replaced: its lead and its field.
    After the last of them, it continues with the people whom the import created, in the part of the import that begins
    after `leads` of its leads."""

    lead_id: str = ""
    field: str = ""
    are_values_done: bool = False
    leads: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPreview:
    """The effect that a transfer would have at this moment. `target_count_after` is None without a target. `sample` has
    the first members of the selection."""

    count: int
    already_in_target_count: int
    source_count_after: int
    target_count_after: int | None
    sample: tuple[Member, ...]
