"""The record of changes: which leads came into or left which audience, together, by whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """The operation that made a change."""

    MOVE = "move"
    COPY = "copy"
    REMOVE = "remove"
    ADD = "add"
    IMPORT = "import"
    UNDO = "undo"
    ERASE = "erase"
    MERGE = "merge"
    DELETE_AUDIENCE = "delete_audience"


class ChangeState(StrEnum):
    """OPEN: a job is still writing the change, and no answer shows it. EXPIRED: its lead ids were removed by age."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the record. `lead_count` is the number of distinct leads, and `already_in_target_count` of them were
    in the target before. Times of changes of one audience are strictly increasing, and so are their ids."""

    id: str
    kind: ChangeKind
    source_audience_id: str | None
    target_audience_id: str | None
    lead_count: int
    already_in_target_count: int
    changed_at: int
    api_key_id: str | None
    job_id: str | None = None
    undoes_change_id: str | None = None
    undone_by_change_id: str | None = None
    state: ChangeState = ChangeState.COMPLETE


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The effect of a change, lead by lead. All tuples are parallel to `lead_ids`.

    `left_at` has the `addedAt` that the lead had in the source, None for a lead that did not leave it. `entered_at` has
    the `addedAt` that it got in the target, None for a lead that did not enter it. A whole tuple is None if no lead
    left, or if no lead could enter because there is no target. The id of an erased lead is ERASED_ID.
    """

    lead_ids: tuple[str, ...]
    left_at: tuple[int | None, ...] | None = None
    entered_at: tuple[int | None, ...] | None = None

    @property
    def already_in_target_count(self) -> int:
        """The number of leads that did not enter the target, 0 without a target."""
        return 0 if self.entered_at is None else sum(each is None for each in self.entered_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoResult:
    """A committed undo. `undone_count` leads of the change are as they were before it, and `skipped_count` stayed as
    they are. `kept_edits` is the number of known people who keep values of an undone import, in fields that were empty
    or were edited since; None if it was not an import."""

    change: Change
    undone_count: int
    skipped_count: int
    kept_edits: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """The changes to list. They must match all conditions that are not None. The audience is the source or the target.
    The times are exclusive, in milliseconds. `without_jobs` leaves out what jobs have done."""

    kind: ChangeKind | None = None
    audience_id: str | None = None
    lead_id: str | None = None
    changed_after: int | None = None
    changed_before: int | None = None
    without_jobs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLead:
    """A lead of a change. The id of an erased lead is ERASED_ID, and its name None."""

    lead_id: str
    was_in_target: bool
    name: str | None
